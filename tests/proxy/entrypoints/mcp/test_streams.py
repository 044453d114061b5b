"""What comes before a result: events as they arrive, questions to the client, and calls that nobody waits for."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from proxy.entrypoints.mcp import listening, session, upstream_call
from proxy.entrypoints.mcp.caller import Caller as SentBy
from proxy.entrypoints.mcp.revisions import HANDSHAKE, MODERN
from proxy.pipeline import route
from tests.proxy.asgi_client import HOST, Begun
from tests.proxy.entrypoints.mcp.conftest import ACCEPT, JSON, META, Caller
from tests.proxy.entrypoints.mcp.federation import (
    BACKEND,
    EVENTS_HEAD,
    behind,
    event,
    fails,
    feature,
    heard_events,
    results,
    serve,
    streams,
)
from tests.proxy.entrypoints.mcp.sessions import Talk, initialize
from tests.proxy.plane import Road
from tests.proxy.plans import ANA, received
from tests.proxy.raw_backend import Wire, answer, chunk, silence
from tests.proxy.world import bearer, events

TEXT = {"content": [{"type": "text", "text": "hello"}]}
OWN = f"/mcp/{BACKEND}"
ASK = {"jsonrpc": "2.0", "id": 99, "method": "elicitation/create", "params": {"message": "Sure?"}}


@pytest.fixture(autouse=True)
def every_call_shakes_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_call, "WITHOUT_SESSIONS_S", 0.0)


def progress(token: object, number: int) -> dict[str, Any]:
    """A notification of progress."""
    params = {"progressToken": token, "progress": number}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def begin(
    caller: Caller, *headers: tuple[str, str], path: str = "/mcp", token: object = None, number: int = 1
) -> Begun:
    """Call the tool `find` and do not wait for the answer."""
    meta = {"progressToken": token} if token is not None else {}
    modern = caller.version == MODERN
    params = {"name": "find", "_meta": (META | meta) if modern else meta}
    content = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    names = (("mcp-method", "tools/call"), ("mcp-name", "find")) if modern else ()
    sent = (HOST, JSON, ACCEPT, bearer(caller.token), ("mcp-protocol-version", caller.version), *names, *headers)
    return caller.road.begin("POST", path, *sent, ("content-length", str(len(content))), body=(content,))


async def test_progress_arrives_while_the_call_runs(caller: Caller, road: Road) -> None:
    server, go = behind(road, MODERN), asyncio.Event()
    serve(road, feature("tool", "find"))

    async def say(wire: Wire, message: dict[str, Any]) -> None:
        token = message["params"]["_meta"]["progressToken"]
        await wire.write(EVENTS_HEAD + event(progress("another", 1)) + event(progress(token, 2)))
        await go.wait()
        await wire.write(event({"jsonrpc": "2.0", "id": message["id"], "result": TEXT}) + chunk(b""))

    server.says("tools/call", say)
    heard, running = begin(caller, token="t-1")
    await heard.until(lambda each: len(each.chunks) == 1)
    assert (heard.header("content-type"), heard.header("x-accel-buffering")) == ("text/event-stream", "no")
    assert heard_events(heard.body) == [progress("t-1", 2)]
    go.set()
    await asyncio.wait_for(running, 5)
    last = heard_events(heard.body)[-1]
    assert (last["id"], last["result"]["content"]) == (1, TEXT["content"])
    assert heard.complete
    assert (await events(heard.request_id))[-1].decision == "allow"


async def test_an_answer_without_anything_before_it_is_json(caller: Caller, road: Road) -> None:
    server = behind(road, MODERN)
    serve(road, feature("tool", "find"))
    server.says("tools/call", streams(progress("nobody's", 1), result=TEXT))
    # `result` says that it came as JSON
    assert (await caller.call("find"))["content"] == TEXT["content"]


async def test_what_fails_after_events_is_an_error_among_them(legacy: Caller, road: Road) -> None:
    server = behind(road, MODERN)
    serve(road, feature("tool", "find"))

    async def say(wire: Wire, message: dict[str, Any]) -> None:
        del message
        await wire.write(EVENTS_HEAD + event(progress("t", 1)))
        wire.close()

    server.says("tools/call", say)
    heard, running = begin(legacy, token="t")
    await asyncio.wait_for(running, 5)
    told, last = heard_events(heard.body)
    assert (told, last["id"], last["result"]["isError"]) == (progress("t", 1), 1, True)
    assert (await events(heard.request_id))[-1].decision == "error"


@pytest.mark.parametrize("version", [MODERN, HANDSHAKE[0]])
async def test_who_leaves_ends_the_call_behind(legacy: Caller, road: Road, version: str) -> None:
    server = behind(road, version)
    serve(road, feature("tool", "find"))
    begun = asyncio.Event()

    async def say(wire: Wire, message: dict[str, Any]) -> None:
        begun.set()
        await wire.write(EVENTS_HEAD + event(progress("t", 1)))
        await silence(wire)
        server.closed.set()

    server.says("tools/call", say)
    heard, running = begin(legacy, token="t")
    await heard.until(lambda each: len(each.chunks) == 1)
    heard.leaves()
    await asyncio.wait_for(running, 5)
    await asyncio.wait_for(server.closed.wait(), 5)
    if version != MODERN:
        cancelled = await server.until(lambda each: each["method"] == "notifications/cancelled")
        (called,) = (each for each in server.heard if each["method"] == "tools/call")
        assert cancelled["params"]["requestId"] == called["id"]
    assert (await events(heard.request_id))[-1].reason == "client_gone"


async def test_a_stream_of_an_operation_is_gathered(caller: Caller, road: Road) -> None:
    body = b"data: one\n\n: nothing\n\ndata: two\ndata: three\n\n"
    road.upstream.says(answer(body, "Content-Type: text/event-stream"))
    assert (await caller.call("jobs-0", id="7"))["content"] == [{"type": "text", "text": "one\ntwo\nthree"}]
    params = {"name": "jobs-0", "arguments": {"id": "7"}, "_meta": {"progressToken": 5}}
    if caller.version != MODERN:
        heard = await caller.send("tools/call", params)
        *told, last = heard_events(heard.body)
        assert [(each["params"]["progressToken"], each["params"]["progress"]) for each in told] == [(5, 1), (5, 2)]
        assert last["result"]["content"] == [{"type": "text", "text": "one\ntwo\nthree"}]


# Sessions, and what a server asks in the middle of a call


@pytest.fixture
async def talk(legacy: Caller, road: Road) -> Talk:
    return await initialize(legacy, road)


def somebody_elses(talk: Talk, sealed: session.Session | session.Question) -> str:
    """What another caller would hold at the same server."""
    snapshot = talk.caller.road.plane.watcher.snapshot
    other = SentBy(received("POST", OWN), snapshot.servers[OWN], snapshot, ANA)
    return session.seal(sealed, other)


async def test_a_session_is_the_clients_to_keep(talk: Talk) -> None:
    assert "up-1" not in talk.session[1]
    assert (await talk.post({"method": "notifications/initialized"})).status == 202
    heard = await talk.post({"id": 7, "method": "tools/call", "params": {"name": "find"}})
    assert heard.json()["result"] == {"content": []}
    assert (await talk.post({"id": 8, "method": "logging/setLevel", "params": {"level": "info"}})).json()["id"] == 8
    assert [each["method"] for each in talk.server.heard] == [
        "initialize", "notifications/initialized", "tools/call", "logging/setLevel",
    ]  # fmt: skip
    assert [arrived.values("mcp-session-id") for arrived in talk.server.requests] == [[], *[["up-1"]] * 3]
    # The client's own id, by which it can cancel
    assert talk.server.heard[2]["id"] == 7
    await talk.post({"method": "notifications/cancelled", "params": {"requestId": 7}})
    assert talk.server.heard[-1]["params"] == {"requestId": 7}


async def test_a_server_of_both_eras_has_a_session_for_clients_of_the_older(legacy: Caller, road: Road) -> None:
    talk = await initialize(legacy, road, MODERN)
    heard = await talk.post({"id": 7, "method": "tools/call", "params": {"name": "find"}})
    assert heard.json()["result"] == {"content": []}
    assert talk.server.requests[-1].header("mcp-session-id") == "up-1"
    assert talk.server.requests[-1].header("mcp-protocol-version") == HANDSHAKE[0]


async def test_a_server_of_the_newest_revision_alone_needs_no_session(legacy: Caller, road: Road) -> None:
    server = behind(road, MODERN)
    server.says("initialize", fails(-32601, "no", status="404 Not Found"))
    serve(road, feature("tool", "find"), path=OWN, backend=BACKEND)
    content = b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}'
    heard = await legacy.post(content, path=OWN)
    assert heard.json()["result"]["protocolVersion"] == "2025-11-25"
    assert not heard.values("mcp-session-id")
    assert "logging" not in heard.json()["result"]["capabilities"]


@pytest.mark.parametrize(("asked", "levels"), [(None, []), ("error", ["error", "alert"]), ("loud", [])])
async def test_log_messages_come_as_each_request_asks(
    modern: Caller, road: Road, asked: str | None, levels: list[str]
) -> None:
    server = behind(road, HANDSHAKE[0])
    serve(road, feature("tool", "find"))

    async def logs(wire: Wire, message: dict[str, Any]) -> None:
        said = [
            {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": level, "data": "x"}}
            for level in ("info", "error", "alert", 7)
        ]
        end = {"jsonrpc": "2.0", "id": message["id"], "result": TEXT}
        await wire.write(EVENTS_HEAD + b"".join(event(each) for each in (*said, end)))

    server.says("tools/call", logs)
    meta = {} if asked is None else {"io.modelcontextprotocol/logLevel": asked}
    heard = await modern.send("tools/call", {"name": "find", "_meta": meta})
    told = [each["params"]["level"] for each in heard_events(heard.body) if "method" in each]
    assert told == levels


async def test_a_session_does_not_last_for_ever(
    legacy: Caller, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(session, "SESSION_S", -1)
    talk = await initialize(legacy, road)
    assert (await talk.post({"id": 1, "method": "tools/call", "params": {"name": "find"}})).status == 404


async def test_e10_a_session_of_somebody_else_is_none(talk: Talk) -> None:
    call = {"id": 1, "method": "tools/call", "params": {"name": "find"}}
    theirs = somebody_elses(talk, session.Session("up-1", HANDSHAKE[0], []))
    question = somebody_elses(talk, session.Question("up-1", HANDSHAKE[0], 99))
    for shown in (theirs, question, talk.session[1][:-8] + "AAAAAAA=", "x", "up-1"):
        assert (await replace(talk, session=("mcp-session-id", shown)).post(call)).status == 404
    assert (await talk.post({"id": question, "result": {"action": "accept"}})).status == 404
    assert [each["method"] for each in talk.server.heard] == ["initialize"]
    # Without one, the call has a session of its own
    assert (await replace(talk, session=("x-none", "")).post(call)).status == 200


async def test_a_session_that_is_over_is_404(talk: Talk) -> None:
    async def gone(wire: Wire, message: dict[str, Any]) -> None:
        del message
        await wire.write(answer(b"", status="404 Not Found"))

    talk.server.says("tools/call", gone)
    call = {"id": 1, "method": "tools/call", "params": {"name": "find"}}
    assert (await talk.post(call)).status == 404
    talk.server.says("tools/call", results(TEXT))
    assert (await talk.post(call)).status == 200


async def test_a_question_of_the_server_goes_to_the_client_and_its_answer_back(talk: Talk) -> None:
    answered = asyncio.Event()

    async def say(wire: Wire, message: dict[str, Any]) -> None:
        await wire.write(EVENTS_HEAD + event(ASK))
        await answered.wait()
        await wire.write(event({"jsonrpc": "2.0", "id": message["id"], "result": TEXT}) + chunk(b""))

    talk.server.says("tools/call", say)
    heard, running = begin(talk.caller, talk.session, path=OWN)
    await heard.until(lambda each: len(each.chunks) == 1)
    (asked,) = heard_events(heard.body)
    assert (asked["method"], asked["params"]) == ("elicitation/create", {"message": "Sure?"})
    assert isinstance(asked["id"], str)
    reply = {"id": asked["id"], "result": {"action": "accept"}}
    # Any worker can take it: nothing but the id is needed
    taken = await talk.caller.post(json.dumps({"jsonrpc": "2.0", **reply}).encode(), path=OWN)
    assert taken.status == 202
    assert talk.server.heard[-1] == {"jsonrpc": "2.0", "id": 99, "result": {"action": "accept"}}
    assert talk.server.requests[-1].header("mcp-session-id") == "up-1"
    answered.set()
    await asyncio.wait_for(running, 5)
    assert heard_events(heard.body)[-1]["result"] == TEXT
    assert (await events(taken.request_id))[-1].operation == "response"


async def test_a_person_may_think_longer_than_a_server_may_be_silent(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(route, "EVENT_STREAM_IDLE_S", 0.05)

    async def say(wire: Wire, message: dict[str, Any]) -> None:
        await wire.write(EVENTS_HEAD + event(ASK))
        await asyncio.sleep(0.3)
        await wire.write(event({"jsonrpc": "2.0", "id": message["id"], "result": TEXT}) + chunk(b""))

    talk.server.says("tools/call", say)
    heard, running = begin(talk.caller, talk.session, path=OWN)
    await asyncio.wait_for(running, 5)
    assert heard_events(heard.body)[-1]["result"] == TEXT
    monkeypatch.setattr(listening, "PATIENCE_S", 0.0)
    heard, running = begin(talk.caller, talk.session, path=OWN)
    await asyncio.wait_for(running, 5)
    assert heard_events(heard.body)[-1]["result"]["isError"] is True


@pytest.mark.parametrize("method", ["sampling/createMessage", "roots/list", "nothing", "ping"])
async def test_what_the_client_does_not_take_is_answered_for_it(talk: Talk, method: str) -> None:
    replied = asyncio.Event()

    async def say(wire: Wire, message: dict[str, Any]) -> None:
        await wire.write(EVENTS_HEAD + event({**ASK, "method": method}))
        await replied.wait()
        await wire.write(event({"jsonrpc": "2.0", "id": message["id"], "result": TEXT}) + chunk(b""))

    talk.server.says("tools/call", say)
    heard, running = begin(talk.caller, talk.session, path=OWN)
    told = await talk.server.until(lambda each: each.get("id") == 99)
    assert (told.get("result"), "error" in told) == (({}, False) if method == "ping" else (None, True))
    replied.set()
    await asyncio.wait_for(running, 5)
    assert heard.json()["result"] == TEXT


async def test_nobody_is_asked_outside_a_session(caller: Caller, road: Road) -> None:
    server = behind(road, HANDSHAKE[0])
    serve(road, feature("tool", "find"))
    replied = asyncio.Event()

    async def say(wire: Wire, message: dict[str, Any]) -> None:
        await wire.write(EVENTS_HEAD + event(ASK))
        await replied.wait()
        await wire.write(event({"jsonrpc": "2.0", "id": message["id"], "result": TEXT}) + chunk(b""))

    server.says("tools/call", say)
    heard, running = begin(caller)
    told = await server.until(lambda each: each.get("id") == 99)
    assert told["error"]["code"] == -32601
    replied.set()
    await asyncio.wait_for(running, 5)
    assert heard.json()["result"]["content"] == TEXT["content"]


@pytest.mark.parametrize("method", ["resources/subscribe", "subscriptions/listen"])
async def test_subscriptions_are_refused_clearly(caller: Caller, road: Road, method: str) -> None:
    behind(road)
    serve(road, feature("resource", "file:///a"))
    assert (await caller.send(method, {"uri": "file:///a"})).json()["error"]["code"] == -32601
