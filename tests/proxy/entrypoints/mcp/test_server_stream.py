"""What a server behind this one says outside of a call: subscriptions, and the stream that GET opens in a session."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections

from oauth_provider.revisions.bump import bump
from proxy.entrypoints.mcp import server_stream, session, upstream_call
from proxy.entrypoints.mcp.caller import Caller as SentBy
from proxy.entrypoints.mcp.revisions import HANDSHAKE
from proxy.limits import concurrency
from proxy.pipeline import route
from proxy.pipeline.identify import Identifier
from proxy.refusals import InvalidCredential
from tests.proxy.asgi_client import HOST, Begun, Exchange
from tests.proxy.entrypoints.mcp.conftest import ACCEPT, Caller
from tests.proxy.entrypoints.mcp.federation import (
    BACKEND,
    EVENTS_HEAD,
    EVENTS_TYPE,
    JSON_TYPE,
    McpServer,
    Says,
    behind,
    event,
    feature,
    heard_events,
    results,
    says_in_time,
    serve,
)
from tests.proxy.plane import Road
from tests.proxy.plans import ANA, received
from tests.proxy.raw_backend import Wire, answer, chunk
from tests.proxy.world import bearer, events

pytestmark = pytest.mark.usefixtures("looked_at")

OWN = f"/mcp/{BACKEND}"
EVENTS = ("accept", "text/event-stream")
SUBSCRIBABLE = {"resources": {"subscribe": True, "listChanged": True}, "tools": {}}
ASK = {"jsonrpc": "2.0", "id": 99, "method": "elicitation/create", "params": {"message": "Sure?"}}


@pytest.fixture(autouse=True)
def every_call_shakes_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_call, "WITHOUT_SESSIONS_S", 0.0)


def told(method: str, **params: Any) -> dict[str, Any]:
    """A notification."""
    return {"jsonrpc": "2.0", "method": f"notifications/{method}", **({"params": params} if params else {})}


def updated(uri: str) -> dict[str, Any]:
    return told("resources/updated", uri=uri)


class Talk:
    """A client in a session at a server that has subscriptions; what the test says goes down its GET stream."""

    def __init__(self, server: McpServer, caller: Caller) -> None:
        self.server = server
        self.caller = caller
        self.session = ("mcp-session-id", "")
        self.saying: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()
        server.says("GET", self._listened)

    async def _listened(self, wire: Wire, message: dict[str, Any]) -> None:
        del message
        await wire.write(EVENTS_HEAD)
        await says_in_time(wire, self.saying)
        self.left.set()

    def says(self, *documents: dict[str, Any]) -> None:
        """Say them by itself."""
        for document in documents:
            self.saying.put_nowait(event(document))

    async def send(self, method: str, *, caller: Caller | None = None, **params: Any) -> Exchange:
        """A request in the session."""
        content = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        return await (caller or self.caller).post(content, self.session, path=OWN)

    def listen(self) -> Begun:
        """Open the stream."""
        return self.caller.road.begin("GET", OWN, HOST, EVENTS, bearer(self.caller.token), self.session)

    async def listening(self) -> Begun:
        """The stream, once its head is here."""
        heard, running = self.listen()
        await heard.until(lambda each: bool(each.chunks))
        return heard, running


async def begin(caller: Caller, road: Road, capabilities: dict[str, Any], **changes: Any) -> Talk:
    server = behind(road, HANDSHAKE[0], **changes)
    server.capabilities, server.session = capabilities, "up-1"
    resource = road.plane.watcher.snapshot.servers["/mcp"].resource
    shown = (
        feature("tool", "find"),
        feature("resource", "file:///a"),
        feature("resource", "file:///closed", scopes=("jobs:close",)),
        feature("resource_template", "file:///of/{name}"),
    )
    serve(road, *shown, path=OWN, backend=BACKEND, resource=resource)
    talk = Talk(server, caller)
    heard = await talk.send("initialize", protocolVersion=HANDSHAKE[0], capabilities={"elicitation": {}})
    talk.session = ("mcp-session-id", heard.header("mcp-session-id"))
    found = heard.json()["result"]["capabilities"]
    assert found["resources"] == {"listChanged": False} | capabilities.get("resources", {})
    assert found["tools"] == {"listChanged": False}
    return talk


@pytest.fixture
async def talk(legacy: Caller, road: Road, monkeypatch: pytest.MonkeyPatch) -> Talk:
    monkeypatch.setattr(server_stream, "CHECK_S", 0.02)
    return await begin(legacy, road, SUBSCRIBABLE)


# Subscriptions


@pytest.mark.parametrize("method", ["resources/subscribe", "resources/unsubscribe"])
async def test_a_subscription_is_made_and_ended_at_the_server_behind(talk: Talk, method: str) -> None:
    talk.server.says(method, results({}))
    listed = await talk.send(method, uri="file:///a")
    heard = await talk.send(method, uri="file:///of/x")
    assert (listed.json()["result"], heard.json()["result"]) == ({}, {})
    assert [each["params"] for each in talk.server.heard[-2:]] == [{"uri": "file:///a"}, {"uri": "file:///of/x"}]
    assert talk.server.requests[-1].header("mcp-session-id") == "up-1"
    assert (await events(heard.request_id))[-1].operation == "talk-file:///of/{name}"


@pytest.mark.parametrize("method", ["resources/subscribe", "resources/unsubscribe"])
async def test_who_may_not_read_may_not_subscribe(talk: Talk, method: str) -> None:
    heard = await talk.send(method, uri="file:///closed")
    assert heard.status == 403
    assert "jobs:close" in heard.header("www-authenticate")
    assert [each["method"] for each in talk.server.heard] == ["initialize"]


@pytest.mark.parametrize(("params", "code"), [({"uri": "file:///none"}, -32002), ({}, -32602), ({"uri": 1}, -32602)])
async def test_only_what_is_served_is_subscribed_to(talk: Talk, params: dict[str, Any], code: int) -> None:
    assert (await talk.send("resources/subscribe", **params)).json()["error"]["code"] == code
    assert [each["method"] for each in talk.server.heard] == ["initialize"]


async def test_a_server_without_subscriptions_has_no_such_method(legacy: Caller, road: Road) -> None:
    talk = await begin(legacy, road, {"resources": {}})
    assert (await talk.send("resources/subscribe", uri="file:///a")).json()["error"]["code"] == -32601


# The stream


async def test_what_the_server_says_arrives(talk: Talk, road: Road) -> None:
    heard, running = await talk.listening()
    assert (heard.status, heard.header("content-type")) == (200, "text/event-stream")
    log = told("message", level="info", data="x")
    talk.says(updated("file:///a"), log, updated("file:///of/x"))
    await heard.until(lambda each: len(heard_events(each.body)) == 3)
    assert heard_events(heard.body) == [updated("file:///a"), log, updated("file:///of/x")]
    arrived = talk.server.requests[-1]
    assert (arrived.line, arrived.header("mcp-session-id")) == ("GET /talk/ HTTP/1.1", "up-1")
    assert arrived.values("content-type") == []
    assert talk.caller.token not in str(arrived.headers)
    talk.saying.put_nowait(chunk(b""))
    await asyncio.wait_for(running, 5)
    assert heard.complete
    (event_,) = await events(heard.request_id)
    assert (event_.operation, event_.decision, event_.method) == ("session/listen", "allow", "GET")


async def test_what_is_not_for_the_caller_is_left_out(talk: Talk) -> None:
    heard, running = await talk.listening()
    stray = {"jsonrpc": "2.0", "id": 5, "result": {}}
    odd = {"jsonrpc": "2.0", "method": ["x"]}
    talk.says(updated("file:///closed"), updated("file:///none"), told("progress", progress=1), stray, odd)
    talk.says(told("resources/updated", uri=7), updated("file:///a"))
    await heard.until(lambda each: bool(heard_events(each.body)))
    assert heard_events(heard.body) == [updated("file:///a")]
    heard.leaves()
    await asyncio.wait_for(running, 5)


@pytest.mark.parametrize("kind", ["tools", "prompts", "resources"])
async def test_a_changed_list_is_told_and_looked_at(talk: Talk, looked_at: list[str], kind: str) -> None:
    heard, running = await talk.listening()
    talk.says(told(f"{kind}/list_changed"))
    await heard.until(lambda each: bool(heard_events(each.body)))
    assert looked_at == [BACKEND]
    heard.leaves()
    await asyncio.wait_for(running, 5)


async def test_a_call_tells_of_changed_lists_too(talk: Talk, looked_at: list[str]) -> None:
    async def say(wire: Wire, message: dict[str, Any]) -> None:
        end = {"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}}
        odd = {"jsonrpc": "2.0", "method": ["x"]}
        await wire.write(EVENTS_HEAD + event(odd) + event(told("tools/list_changed")) + event(end) + chunk(b""))

    talk.server.says("tools/call", say)
    assert (await talk.send("tools/call", name="find")).json()["result"] == {"content": []}
    assert looked_at == [BACKEND]


async def test_the_server_may_ask_there(talk: Talk) -> None:
    heard, running = await talk.listening()
    talk.says(ASK, ASK | {"id": 98, "method": "roots/list"})
    await heard.until(lambda each: bool(heard_events(each.body)))
    (asked,) = heard_events(heard.body)
    assert (asked["method"], isinstance(asked["id"], str)) == ("elicitation/create", True)
    assert (await talk.server.until(lambda each: each.get("id") == 98))["error"]["code"] == -32601
    reply = {"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}}
    assert (await talk.caller.post(json.dumps(reply).encode(), path=OWN)).status == 202
    assert talk.server.heard[-1] == reply | {"id": 99}
    heard.leaves()
    await asyncio.wait_for(running, 5)


async def test_who_leaves_ends_the_stream_behind(talk: Talk) -> None:
    heard, running = await talk.listening()
    heard.leaves()
    await asyncio.wait_for(running, 5)
    await asyncio.wait_for(talk.left.wait(), 5)
    assert (await events(heard.request_id))[-1].reason == "client_gone"


def revoke_something() -> None:
    try:
        bump("revocation")
    finally:
        connections.close_all()


async def test_who_is_revoked_hears_no_more(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    heard, running = await talk.listening()

    async def refuse(*_asked: object) -> None:
        raise InvalidCredential(reason="revoked")

    monkeypatch.setattr(Identifier, "bearer", refuse)
    # Nothing is said: the revocation is enough
    await asyncio.to_thread(revoke_something)
    await asyncio.wait_for(running, 5)
    await asyncio.wait_for(talk.left.wait(), 5)
    assert (heard.complete, heard_events(heard.body)) == (True, [])
    (event_,) = await events(heard.request_id)
    assert (event_.decision, event_.reason) == ("deny", "revoked")


async def test_a_server_that_is_gone_is_listened_to_no_more(talk: Talk, road: Road) -> None:
    heard, running = await talk.listening()
    watcher = road.plane.watcher
    others = {path: plan for path, plan in watcher.snapshot.servers.items() if path != OWN}
    watcher.snapshot = replace(watcher.snapshot, servers=others)
    talk.says(updated("file:///a"))
    await asyncio.wait_for(running, 5)
    assert (heard.complete, heard_events(heard.body)) == (True, [])


async def test_silence_is_a_good_end_and_comments_are_life(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "EVENT_STREAM_IDLE_S", 0.2)
    monkeypatch.setattr(server_stream, "KEEP_ALIVE_S", 0.0)
    heard, running = await talk.listening()
    for _ping in range(4):
        talk.saying.put_nowait(chunk(b": ping\n\n"))
        await asyncio.sleep(0.1)
    assert not running.done()
    assert b"\n:\n\n" in heard.body
    await asyncio.wait_for(running, 5)
    assert heard.complete
    assert (await events(heard.request_id))[-1].decision == "allow"


async def test_the_end_of_the_process_ends_a_quiet_stream_at_once(talk: Talk, road: Road) -> None:
    heard, running = await talk.listening()
    talk.says(updated("file:///a"))
    await heard.until(lambda each: bool(heard_events(each.body)))
    road.plane.drain()
    await asyncio.wait_for(running, 1)
    await asyncio.wait_for(talk.left.wait(), 5)
    assert (heard.complete, heard_events(heard.body)) == (True, [updated("file:///a")])
    assert (await events(heard.request_id))[-1].decision == "allow"


async def test_what_the_server_is_saying_is_heard_to_its_end_before(talk: Talk, road: Road) -> None:
    heard, running = await talk.listening()
    said = b"data: " + json.dumps(updated("file:///a")).encode()
    talk.saying.put_nowait(chunk(said[:20]))
    await asyncio.sleep(0.1)
    road.plane.drain()
    await asyncio.sleep(0.1)
    assert not running.done()
    talk.saying.put_nowait(chunk(said[20:] + b"\r\n\r\n"))
    await asyncio.wait_for(running, 1)
    assert (heard.complete, heard_events(heard.body)) == (True, [updated("file:///a")])


async def test_what_cannot_be_read_ends_it(talk: Talk) -> None:
    heard, running = await talk.listening()
    talk.saying.put_nowait(chunk(b"data: [1]\n\n"))
    await asyncio.wait_for(running, 5)
    assert (heard.complete, heard_events(heard.body)) == (True, [])
    assert (await events(heard.request_id))[-1].reason == "mcp_unreadable"


def says(status: str, *fields: str, body: bytes = b"") -> Says:
    async def say(wire: Wire, message: dict[str, Any]) -> None:
        del message
        await wire.write(answer(body, *fields, status=status))

    return say


@pytest.mark.parametrize(
    ("status", "kind", "heard_status"),
    [
        ("405 Method Not Allowed", JSON_TYPE, 405),
        ("404 Not Found", JSON_TYPE, 404),
        ("401 Unauthorized", JSON_TYPE, 502),
        ("409 Conflict", JSON_TYPE, 502),
        ("409 Conflict", EVENTS_TYPE, 502),
        ("200 OK", JSON_TYPE, 502),
    ],
)
async def test_a_server_without_the_stream(talk: Talk, status: str, kind: str, heard_status: int) -> None:
    talk.server.says("GET", says(status, kind, body=b"{}"))
    heard, running = talk.listen()
    await asyncio.wait_for(running, 5)
    assert heard.status == heard_status
    assert len(await events(heard.request_id)) == 1


async def test_a_stream_needs_a_session_of_its_own_caller(talk: Talk, road: Road) -> None:
    sent = (HOST, bearer(talk.caller.token))
    assert (await road.call("GET", OWN, *sent, EVENTS)).status == 405
    assert (await road.call("GET", OWN, HOST, EVENTS)).status == 405
    assert (await road.call("GET", "/mcp", *sent, EVENTS, talk.session)).status == 405
    assert (await road.call("GET", OWN, HOST, EVENTS, talk.session)).status == 401
    assert (await road.call("GET", OWN, *sent, ("accept", "application/json"), talk.session)).status == 406
    snapshot = road.plane.watcher.snapshot
    other = SentBy(received("GET", OWN), snapshot.servers[OWN], snapshot, ANA)
    theirs = session.seal(session.Session("up-1", HANDSHAKE[0], []), other)
    for shown in (theirs, "up-1"):
        assert (await road.call("GET", OWN, *sent, ACCEPT, ("mcp-session-id", shown))).status == 404
    assert [each["method"] for each in talk.server.heard] == ["initialize"]


async def test_who_listens_takes_no_place_of_a_call(
    legacy: Caller, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(concurrency, "LISTENERS_OF_ONE_MAX", 2)
    talk = await begin(legacy, road, SUBSCRIBABLE, max_concurrency=1)
    listening = [await talk.listening() for _stream in range(2)]
    assert (await talk.send("tools/call", name="find")).json()["result"] == {"content": []}
    third, running = talk.listen()
    await asyncio.wait_for(running, 5)
    assert (third.status, third.json()["error"]) == (429, "too_many_streams")
    for heard, running in listening:
        heard.leaves()
        await asyncio.wait_for(running, 5)
    heard, running = await talk.listening()
    heard.leaves()
    await asyncio.wait_for(running, 5)
