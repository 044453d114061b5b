"""Streamable HTTP and the two eras: what a server must answer to whom (revisions 2026-07-28 and 2025-11-25)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from oauth_provider.strict_json import DEPTH_MAX
from proxy.entrypoints.mcp.revisions import HANDSHAKE, MODERN, SUPPORTED
from proxy.limits.table import Rule
from tests.proxy.asgi_client import HOST
from tests.proxy.entrypoints.mcp.conftest import ACCEPT, JSON, META, Caller
from tests.proxy.entrypoints.mcp.federation import behind, feature, serve
from tests.proxy.plane import Road
from tests.proxy.world import bearer, events

PING = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'


async def test_a_handshake_agrees_on_a_revision(legacy: Caller) -> None:
    for asked in (*HANDSHAKE, "2024-11-05", "2099-01-01"):
        result = await replace(legacy, version=HANDSHAKE[0]).result(
            "initialize", {"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
        )
        assert result["protocolVersion"] == (asked if asked in HANDSHAKE else HANDSHAKE[0])
        assert result["capabilities"] == {"tools": {"listChanged": False}}
        assert result["serverInfo"]["name"] == "gatehouse"
    heard = await legacy.send("initialize", {"protocolVersion": HANDSHAKE[0]})
    assert heard.values("mcp-session-id") == []


async def test_discovery_takes_the_place_of_the_handshake(modern: Caller) -> None:
    result = await modern.result("server/discover")
    assert result["supportedVersions"] == list(SUPPORTED)
    assert (result["resultType"], result["cacheScope"]) == ("complete", "private")
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "gatehouse"


async def test_only_the_later_era_marks_its_results(modern: Caller, legacy: Caller) -> None:
    marks = {"resultType", "ttlMs", "cacheScope"}
    assert marks <= (await modern.result("tools/list")).keys()
    assert not marks & (await legacy.result("tools/list")).keys()


@pytest.mark.parametrize(
    ("headers", "changes", "status", "code"),
    [
        ({"mcp-protocol-version": None}, {}, 400, -32020),
        ({"mcp-protocol-version": "2025-11-25"}, {}, 400, -32020),
        ({"mcp-method": None}, {}, 400, -32020),
        ({"mcp-method": "tools/call"}, {}, 400, -32020),
        ({"mcp-method": "TOOLS/LIST"}, {}, 400, -32020),
        (
            {"mcp-protocol-version": "2099-01-01"},
            {"io.modelcontextprotocol/protocolVersion": "2099-01-01"},
            400,
            -32022,
        ),
        ({}, {"io.modelcontextprotocol/clientCapabilities": None}, 200, None),
        ({"mcp-protocol-version": "1999-01-01"}, None, 400, -32022),
        ({}, None, 400, -32602),
    ],
)
async def test_header_and_body_must_agree(
    modern: Caller, headers: dict[str, str | None], changes: dict[str, Any] | None, status: int, code: int | None
) -> None:
    sent: dict[str, str | None] = {"mcp-protocol-version": MODERN, "mcp-method": "tools/list", **headers}
    params = {"_meta": META | changes} if changes is not None else {}
    message = {"jsonrpc": "2.0", "id": "a", "method": "tools/list", "params": params}
    given = [(name, value) for name, value in sent.items() if value is not None]
    heard = await modern.post(json.dumps(message).encode(), *given)
    assert (heard.status, heard.json().get("error", {}).get("code"), heard.json()["id"]) == (status, code, "a")
    if code == -32022:
        assert heard.json()["error"]["data"]["supported"] == list(SUPPORTED)


@pytest.mark.parametrize(
    ("name", "status"), [("jobs-0", 200), ("=?base64?am9icy0w?=", 200), ("jobs-1", 400), ("", 400)]
)
async def test_d16_the_name_in_the_header_is_the_name_in_the_body(modern: Caller, name: str, status: int) -> None:
    params = {"name": "jobs-0", "arguments": {"id": "1"}, "_meta": META}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = [("mcp-protocol-version", MODERN), ("mcp-method", "tools/call"), ("mcp-name", name)]
    assert (await modern.post(json.dumps(message).encode(), *headers)).status == status


async def test_a_doubled_header_is_refused(modern: Caller) -> None:
    heard = await modern.post(PING, ("mcp-protocol-version", MODERN), ("mcp-protocol-version", "2025-11-25"))
    assert (heard.status, heard.json()["error"]["code"]) == (400, -32600)


async def test_unknown_methods(modern: Caller, legacy: Caller) -> None:
    for method in ("resources/list", "prompts/list", "nothing", "tools/List"):
        heard = await modern.send(method)
        assert (heard.status, heard.json()["error"]["code"]) == (404, -32601)
        heard = await legacy.send(method)
        # 404 would tell this era that its session is over
        assert (heard.status, heard.json()["error"]["code"]) == (200, -32601)
    for method in ("initialize", "ping"):
        assert (await modern.send(method)).json()["error"]["code"] == -32601


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xef\xbb\xbf{}", -32700),
        ('{"jsonrpc": "2.0", "id": 1, "method": "ping"}'.encode("utf-16"), -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "method": "tools/call"}', -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": NaN}}', -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": 1e400}}', -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": "\\ud800"}}', -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', -32600),
        (b'"ping"', -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": {"a": 1}, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}', -32600),
    ],
)
async def test_d16_what_is_not_one_message_is_refused(legacy: Caller, content: bytes, code: int) -> None:
    heard = await legacy.post(content)
    assert (heard.status, heard.json()["error"]["code"]) == (400, code)
    (event,) = await events(heard.request_id)
    assert (event.decision, event.status) == ("deny", 400)


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ({"method": "notifications/initialized"}, "notifications/initialized"),
        ({"method": "notifications/cancelled", "params": {"requestId": 1}}, "notifications/cancelled"),
        ({"method": "notifications/whatever a client likes"}, ""),
        ({"id": 4, "result": {}}, ""),
    ],
)
async def test_notifications_and_responses_are_taken_in_silence(
    legacy: Caller, message: dict[str, Any], asked: str
) -> None:
    heard = await legacy.post(json.dumps({"jsonrpc": "2.0", **message}).encode())
    assert (heard.status, heard.body) == (202, b"")
    (event,) = await events(heard.request_id)
    assert (event.operation, event.decision) == (asked, "allow")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD"])
async def test_there_is_one_method(road: Road, method: str) -> None:
    heard = await road.call(method, "/mcp", HOST, bearer(road.stored.tools_read))
    assert (heard.status, heard.header("allow")) == (405, "POST, OPTIONS")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("content-type", "text/plain"), ACCEPT], 415),
        ([ACCEPT], 415),
        ([JSON, ("accept", "text/html")], 406),
        ([JSON, ("accept", "text/event-stream")], 406),
        ([JSON, ("accept", "*/*")], 200),
        ([JSON], 200),
        ([("content-type", "Application/JSON; charset=utf-8"), ACCEPT], 200),
    ],
)
async def test_media_types(road: Road, headers: list[tuple[str, str]], status: int) -> None:
    sent = (HOST, bearer(road.stored.tools_read), *headers)
    assert (await road.call("POST", "/mcp", *sent, body=(PING,))).status == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://chatgpt.com", 200),
        ("http://127.0.0.1:8000", 200),
        ("http://evil.example.com", 403),
        ("https://chatgpt.com.evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_h9_a_page_of_another_site_is_refused(legacy: Caller, origin: str, status: int) -> None:
    heard = await legacy.post(PING, ("origin", origin))
    assert heard.status == status
    assert heard.values("www-authenticate") == []


# Who may come in


async def test_whoever_has_no_token_learns_where_to_get_one(road: Road) -> None:
    heard = await Caller(road, "").post(PING)
    assert heard.status == 401
    challenge = heard.header("www-authenticate")
    assert challenge.startswith('Bearer resource_metadata="')
    assert '/.well-known/oauth-protected-resource/mcp", scope="jobs:read jobs:write"' in challenge
    assert "error" not in challenge


async def test_a_token_for_a_backend_is_none_for_its_tools(road: Road) -> None:
    heard = await Caller(road, road.stored.write).post(PING)
    assert heard.status == 401
    assert 'error="invalid_token"' in heard.header("www-authenticate")
    (event,) = await events(heard.request_id)
    assert event.reason == "wrong_audience"


async def test_a_token_for_tools_is_none_for_the_backend(road: Road) -> None:
    heard = await road.call("GET", "/api/v1/jobs/jobs/7", HOST, bearer(road.stored.tools_write))
    assert heard.status == 401


async def test_a_large_body_of_a_stranger_is_never_read(road: Road) -> None:
    heard, running = road.begin("POST", "/mcp", HOST, JSON, ACCEPT, ("content-length", "1000000"), body=None)
    await heard.until(lambda each: each.complete)
    await running
    assert heard.status == 401


async def test_a_large_message_is_refused_unread(road: Road) -> None:
    sent = (HOST, JSON, ACCEPT, bearer(road.stored.tools_read), ("content-length", "2000000"))
    heard, running = road.begin("POST", "/mcp", *sent, body=None)
    await heard.until(lambda each: each.complete)
    await running
    assert heard.status == 413


async def test_servers_that_do_not_exist_are_nobodys_to_know(road: Road) -> None:
    assert (await Caller(road, "").post(PING, path="/mcp/none")).status == 401
    assert (await Caller(road, road.stored.tools_read).post(PING, path="/mcp/none")).status == 404


async def test_every_listing_is_an_event(caller: Caller) -> None:
    heard = await caller.send("tools/list")
    (event,) = await events(heard.request_id)
    assert (event.operation, event.decision, event.method) == ("tools/list", "allow", "POST")


async def test_a_message_counts_as_a_call(legacy: Caller, road: Road) -> None:
    lowest = Rule(name="user-1", per="user", max_calls=6, window_ms=3_600_000)
    road.plane._limits.use((lowest,))  # noqa: SLF001 - as after a change of the catalogue
    unknown = {"name": "nothing", "arguments": {}}
    wrong = {"name": "jobs-0", "arguments": {}}
    right = {"name": "jobs-0", "arguments": {"id": "7"}}
    sent: tuple[tuple[str, dict[str, Any]], ...] = (
        ("tools/list", {}), ("ping", {}), ("nothing", {}), ("tools/call", unknown), ("tools/call", wrong),
        ("tools/call", right),
    )  # fmt: skip
    left = [(await legacy.send(method, params)).header("ratelimit").partition(";t=")[0] for method, params in sent[:3]]
    assert left == [f'"user-1";r={number}' for number in (5, 4, 3)]
    heard = [await legacy.send(method, params) for method, params in sent[3:]]
    assert [each.status for each in heard] == [200] * 3
    heard = [await legacy.send(method, params) for method, params in sent[:5]]
    heard.append(await legacy.post(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}'))
    heard.append(await legacy.post(b"{"))
    assert [each.status for each in heard] == [429] * 7
    for each in heard:
        assert int(each.header("retry-after")) > 0
        assert each.header("ratelimit").startswith('"user-1";r=0;')
    # A call that its arguments let through is refused in the words of its result
    assert (await legacy.result("tools/call", right))["isError"] is True


@pytest.mark.parametrize("cursor", ["x", 7, "W10=", "WyJhIiwgImIiXQ==", {}, "W1tb" * 5000])
async def test_a_cursor_of_somebody_else_is_an_error(legacy: Caller, cursor: object) -> None:
    heard = await legacy.send("tools/list", {"cursor": cursor})
    assert heard.json()["error"]["code"] == -32602


@pytest.mark.parametrize("depth", [190, 201, 900, 932, 960])
async def test_however_deep_it_is_nested_nothing_breaks(legacy: Caller, road: Road, depth: int) -> None:
    behind(road)
    serve(road, feature("tool", "find"))
    deep = "[" * depth + "]" * depth
    params = f'{{"name": "find", "arguments": {{"a": {deep}, "b": "\\u00e9"}}}}'
    heard = await legacy.post(f'{{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {params}}}'.encode())
    assert heard.status == (200 if depth < DEPTH_MAX else 400), heard.body
    assert heard.json().get("error", {}).get("code") == (None if depth < DEPTH_MAX else -32700)
