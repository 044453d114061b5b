"""Tools, from the message of a client to the bytes at the backend, and back with the event in the ledger."""

import json
from dataclasses import replace

import pytest

from proxy.catalogue.tools import Tool
from tests.proxy.entrypoints.mcp.conftest import Caller
from tests.proxy.plane import Road
from tests.proxy.raw_backend import answer, silence
from tests.proxy.world import JOBS, events

GET, SAVE = "jobs-0", "jobs-1"


async def test_a_tool_is_the_operation_behind_it(caller: Caller, road: Road) -> None:
    road.upstream.says(answer(b'{"id": 7}', "Content-Type: application/json"))
    heard = await caller.send("tools/call", {"name": GET, "arguments": {"id": "7"}})
    result = heard.json()["result"]
    assert result["content"] == [{"type": "text", "text": '{"id": 7}'}]
    assert result["structuredContent"] == {"id": 7}
    assert "isError" not in result
    assert heard.header("ratelimit")
    arrived = road.upstream.request
    assert arrived.line == "GET /jobs/jobs/7 HTTP/1.1"
    assert arrived.header("x-user-id") == "user_2abc"
    assert arrived.header("x-request-id") == heard.request_id
    assert caller.token not in str(arrived.headers)
    (event,) = await events(heard.request_id)
    assert (event.operation, event.backend, event.decision, event.path) == (GET, "jobs", "allow", f"{JOBS}/jobs/{{id}}")
    assert event.audience.endswith("/mcp")


async def test_a_body_and_a_method_are_arguments(caller: Caller, road: Road) -> None:
    await caller.call(SAVE, method="POST", body={"name": "é", "list": [1, None]})
    arrived = road.upstream.request
    assert arrived.line == "POST /jobs/jobs HTTP/1.1"
    assert arrived.header("content-type") == "application/json"
    assert json.loads(arrived.content) == {"name": "é", "list": [1, None]}


async def test_only_what_the_token_opens_is_listed(caller: Caller, road: Road) -> None:
    everything = {tool["name"] for tool in (await caller.result("tools/list"))["tools"]}
    reader = replace(caller, token=road.stored.tools_read)
    some = {tool["name"] for tool in (await reader.result("tools/list"))["tools"]}
    assert {GET, SAVE, "narrow-0"} <= everything
    assert everything - some == {SAVE}
    # Operations that take no access token are no tools
    assert not {name for name in everything if name.startswith(("open", "keyed", "theirs"))}


async def test_a_missing_permission_is_a_challenge_for_all_that_is_needed(caller: Caller, road: Road) -> None:
    reader = replace(caller, token=road.stored.tools_read)
    heard = await reader.send("tools/call", {"name": SAVE, "arguments": {"method": "POST"}})
    assert (heard.status, heard.json()["error"]) == (403, "insufficient_scope")
    challenge = heard.header("www-authenticate")
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="jobs:read jobs:write"' in challenge
    assert "/.well-known/oauth-protected-resource/mcp" in challenge
    assert road.upstream.arrived == []
    (event,) = await events(heard.request_id)
    assert (event.decision, event.reason, event.operation) == ("deny", "insufficient_scope", SAVE)


@pytest.mark.parametrize("kind", ["", "application/merge-patch+json"])
async def test_a_body_is_sent_as_the_media_type_of_its_operation(caller: Caller, road: Road, kind: str) -> None:
    watcher = road.plane.watcher
    server = watcher.snapshot.servers["/mcp"]
    plan = server.tools[SAVE]
    typed = replace(plan, tool=Tool(replace(plan.tool.row, request_type=kind)))
    servers = {**watcher.snapshot.servers, "/mcp": replace(server, tools={**server.tools, SAVE: typed})}
    watcher.snapshot = replace(watcher.snapshot, servers=servers)
    await caller.call(SAVE, method="POST", body={"title": None})
    assert road.upstream.request.values("content-type") == [kind or "application/json"]


async def test_chatgpt_is_told_in_the_result(modern: Caller, road: Road) -> None:
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": SAVE, "arguments": {"method": "POST"}},
    }
    reader = replace(modern, token=road.stored.tools_read)
    heard = await reader.post(json.dumps(message).encode(), ("user-agent", "openai-mcp/1.0.0"))
    result = heard.json()["result"]
    assert (heard.status, result["isError"]) == (200, True)
    (challenge,) = result["_meta"]["mcp/www_authenticate"]
    assert 'error="insufficient_scope", error_description="' in challenge


@pytest.mark.parametrize(("name", "status"), [("openai-mcp", 200), ("other", 403), (["openai-mcp"], 403)])
async def test_chatgpt_is_known_by_what_a_request_says_of_its_client(
    modern: Caller, road: Road, name: object, status: int
) -> None:  # fmt: skip
    named = {"io.modelcontextprotocol/clientInfo": {"name": name, "version": "1"}}
    params = {"name": SAVE, "arguments": {"method": "POST"}, "_meta": named}
    heard = await replace(modern, token=road.stored.tools_read).send("tools/call", params)
    assert heard.status == status
    assert ("mcp/www_authenticate" in heard.body.decode()) == (status == 200)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, '"id" is a required property'),
        ({"id": 7}, "id: 7 is not of type"),
        ({"id": "7", "more": 1}, "'more' was unexpected"),
        ({"id": "../secrets"}, "id: must be one part of a path"),
        ({"id": ".."}, "id: must be one part of a path"),
        ({"id": "a\x00b"}, "id: must be one part of a path"),
        ({"id": ""}, "id: must be one part of a path"),
    ],
)
async def test_wrong_arguments_are_named_for_the_model(
    caller: Caller, road: Road, arguments: dict[str, object], words: str
) -> None:
    heard = await caller.send("tools/call", {"name": GET, "arguments": arguments})
    result = heard.json()["result"]
    assert (heard.status, result["isError"]) == (200, True)
    assert words in result["content"][0]["text"]
    assert road.upstream.arrived == []
    (event,) = await events(heard.request_id)
    assert (event.reason, event.operation, event.decision) == ("tool_arguments", GET, "deny")


async def test_what_was_sent_is_not_sent_back_at_length(caller: Caller) -> None:
    heard = await caller.send("tools/call", {"name": GET, "arguments": {"id": ["x" * 100_000], "y" * 100_000: 1}})
    text = heard.json()["result"]["content"][0]["text"]
    assert "id: " in text
    assert len(text) < 2000


async def test_an_error_of_the_service_is_for_the_model_to_read(caller: Caller, road: Road) -> None:
    road.upstream.says(answer(b'{"error": "taken"}', "Content-Type: application/json", status="409 Conflict"))
    result = await caller.call(SAVE, method="POST")
    assert result["isError"] is True
    (block,) = result["content"]
    assert block["text"].startswith("The service answered 409 (Conflict). It does not fit what is there now")
    assert block["text"].endswith('\n{"error": "taken"}')


async def test_a_401_of_the_service_is_no_challenge(caller: Caller, road: Road) -> None:
    road.upstream.says(answer(b"no", 'WWW-Authenticate: Bearer realm="x"', status="401 Unauthorized"))
    heard = await caller.send("tools/call", {"name": GET, "arguments": {"id": "7"}})
    assert (heard.status, heard.values("www-authenticate")) == (200, [])
    assert heard.json()["result"]["isError"] is True


async def test_a_service_that_does_not_answer_is_reported(road: Road) -> None:
    caller = Caller(road, road.stored.tools_write)
    road.upstream.says(silence)
    result = await caller.call("narrow-0", method="GET")
    assert result["isError"] is True
    assert "look before you repeat it" in result["content"][0]["text"]


@pytest.mark.parametrize("name", ["nothing", "JOBS-0", "jobs-0\x00", "open-0", None, 7, ["jobs-0"]])
async def test_an_unknown_tool_is_an_error_of_the_call(legacy: Caller, road: Road, name: object) -> None:
    heard = await legacy.send("tools/call", {"name": name, "arguments": {}})
    assert (heard.status, heard.json()["error"]["code"]) == (200, -32602)
    assert road.upstream.arrived == []


async def test_text_pictures_and_other_files(legacy: Caller, road: Road) -> None:
    road.upstream.says(answer(b"plain", "Content-Type: text/plain; charset=utf-8"))
    assert (await legacy.call(GET, id="1"))["content"] == [{"type": "text", "text": "plain"}]
    road.upstream.says(answer(b"\x89PNG\r\n\x1a\n", "Content-Type: image/png"))
    assert (await legacy.call(GET, id="1"))["content"] == [
        {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"}
    ]
    road.upstream.says(answer(b"%PDF", "Content-Type: application/pdf"))
    (_words, block) = (await legacy.call(GET, id="1"))["content"]
    assert (block["type"], block["resource"]["blob"]) == ("resource", "JVBERg==")


async def test_a_long_answer_is_read_in_parts(legacy: Caller, road: Road) -> None:
    rows = [f"{number} {'x' * 100}" for number in range(2500)]
    road.upstream.says(answer(json.dumps({"total": 2500, "rows": rows}).encode(), "Content-Type: application/json"))
    read: list[str] = []
    note = ""
    arguments = {"id": "1"}
    while len(read) < len(rows):
        result = await legacy.call(GET, **arguments)
        shown, note = (block["text"] for block in result["content"])
        assert len(shown) <= 100_000
        assert json.loads(shown) == result["structuredContent"]
        assert result["structuredContent"]["total"] == 2500
        read += result["structuredContent"]["rows"]
        assert f"to {len(read)} of 2500 of rows" in note
        if len(read) < len(rows):
            arguments["continue_from"] = note.rpartition('"continue_from": "')[2].partition('"')[0]
    assert read == rows
    assert "last part" in note
    assert {arrived.line for arrived in road.upstream.arrived} == {"GET /jobs/jobs/1 HTTP/1.1"}


async def test_the_rest_of_an_answer_is_gone_where_a_call_may_change_something(legacy: Caller, road: Road) -> None:
    road.upstream.says(answer(json.dumps(["x" * 1000] * 200).encode(), "Content-Type: application/json"))
    result = await legacy.call(SAVE, method="POST")
    assert "The rest is gone" in result["content"][1]["text"]
    result = await legacy.call(SAVE, method="POST", continue_from="e9-0123456789abcdef")
    assert (result["isError"], len(road.upstream.arrived)) == (True, 1)


async def test_a_position_that_nobody_named_is_refused(legacy: Caller, road: Road) -> None:
    result = await legacy.call(GET, id="1", continue_from="the end")
    assert "continue_from: must be what the result before named" in result["content"][0]["text"]
    assert road.upstream.arrived == []


async def test_too_long_an_answer_for_any_result_is_an_error(legacy: Caller, road: Road) -> None:
    road.upstream.says(answer(b"x" * (4 * 1024 * 1024 + 1), "Content-Type: text/plain"))
    text = (await legacy.call(GET, id="1"))["content"][0]["text"]
    assert "more than 4194304 bytes" in text
    assert text.endswith("Ask for less, such as one page or fewer fields.")


@pytest.mark.parametrize("content", [b"{", b'{"a": 1, "a": 2}', b"\xff\xfe{}"])
async def test_json_that_cannot_be_read_is_an_error(legacy: Caller, road: Road, content: bytes) -> None:
    road.upstream.says(answer(content, "Content-Type: application/json"))
    assert (await legacy.call(GET, id="1"))["isError"] is True
