"""What a server behind this one says to a client of 2026-07-28 outside of a call: `subscriptions/listen`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from proxy.catalogue.plans import McpFacts
from proxy.entrypoints.mcp import server_stream
from proxy.entrypoints.mcp.revisions import HANDSHAKE, MODERN
from proxy.limits import concurrency
from proxy.pipeline import route
from proxy.pipeline.identify import Identifier
from proxy.refusals import InvalidCredential
from tests.proxy.asgi_client import HOST, Begun, Exchange
from tests.proxy.entrypoints.mcp.conftest import ACCEPT, JSON, META, Caller
from tests.proxy.entrypoints.mcp.federation import (
    BACKEND,
    EVENTS_HEAD,
    JSON_TYPE,
    McpServer,
    behind,
    event,
    fails,
    feature,
    heard_events,
    results,
    says_in_time,
    serve,
    writes,
)
from tests.proxy.plane import Road
from tests.proxy.raw_backend import Wire, answer, chunk
from tests.proxy.world import bearer, events

pytestmark = pytest.mark.usefixtures("looked_at")

OWN = f"/mcp/{BACKEND}"
ID_KEY = "io.modelcontextprotocol/subscriptionId"
LISTEN, ACK = "subscriptions/listen", "notifications/subscriptions/acknowledged"
ANNOUNCES = {"tools": {"listChanged": True}, "prompts": {}, "resources": {"listChanged": True, "subscribe": True}}
ALL = {"toolsListChanged": True, "resourcesListChanged": True, "resourceSubscriptions": ["file:///a"]}


def told(method: str, **params: Any) -> dict[str, Any]:
    """A notification as the client hears it."""
    return {"jsonrpc": "2.0", "method": f"notifications/{method}", "params": {**params, "_meta": {ID_KEY: 7}}}


def updated(uri: str) -> dict[str, Any]:
    return told("resources/updated", uri=uri)


class Talk:
    """A server that announces things, and a client that listens; what the test says goes down the stream."""

    def __init__(self, road: Road, caller: Caller) -> None:
        self.server: McpServer = behind(road)
        self.road = road
        self.caller = caller
        self.saying: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()
        self.announces(ANNOUNCES)
        self.server.says(LISTEN, self._listened)
        shown = (
            feature("tool", "find"),
            feature("resource", "file:///a"),
            feature("resource", "file:///a/part"),
            feature("resource", "file:///closed", scopes=("jobs:close",)),
        )
        serve(road, *shown, path=OWN, backend=BACKEND, resource=road.plane.watcher.snapshot.servers["/mcp"].resource)

    def announces(self, capabilities: dict[str, Any], version: str = MODERN) -> None:
        """What the gateway knows of the server."""
        watcher = self.road.plane.watcher
        plan = replace(watcher.snapshot.backends[BACKEND], mcp=McpFacts(version, capabilities))
        watcher.snapshot = replace(watcher.snapshot, backends={**watcher.snapshot.backends, BACKEND: plan})

    async def _listened(self, wire: Wire, message: dict[str, Any]) -> None:
        await wire.write(EVENTS_HEAD + event(acknowledged(message)))
        await says_in_time(wire, self.saying)
        self.left.set()

    def says(self, *documents: dict[str, Any]) -> None:
        """Say them, with the id that the gateway's own request has."""
        for document in documents:
            params = document.get("params", {}) | {"_meta": {ID_KEY: self.server.heard[-1]["id"]}}
            self.saying.put_nowait(event(document | {"params": params} if "method" in document else document))

    def listen(self, notifications: object, *, accept: tuple[str, str] = ACCEPT, path: str = OWN) -> Begun:
        """Ask for what is said outside of calls."""
        params = {"notifications": notifications, "_meta": META}
        content = json.dumps({"jsonrpc": "2.0", "id": 7, "method": LISTEN, "params": params}).encode()
        named = (("mcp-protocol-version", MODERN), ("mcp-method", LISTEN), ("content-length", str(len(content))))
        sent = (HOST, JSON, accept, bearer(self.caller.token), *named)
        return self.road.begin("POST", path, *sent, body=(content,))

    async def heard(self, notifications: object, **changes: Any) -> Exchange:
        """All that there is to hear."""
        heard, running = self.listen(notifications, **changes)
        await asyncio.wait_for(running, 5)
        return heard

    @asynccontextmanager
    async def listening(self, notifications: object = ALL) -> AsyncIterator[Begun]:
        """The stream, once something was granted; left at the end."""
        heard, running = self.listen(notifications)
        await heard.until(lambda each: bool(heard_events(each.body)))
        yield heard, running
        heard.leaves()
        await asyncio.wait_for(running, 5)


def acknowledged(message: dict[str, Any], granted: object = None) -> dict[str, Any]:
    """What a server says first."""
    wanted = message["params"]["notifications"] if granted is None else granted
    params = {"notifications": wanted, "_meta": {ID_KEY: message["id"]}}
    return {"jsonrpc": "2.0", "method": ACK, "params": params}


@pytest.fixture
def talk(modern: Caller, road: Road, monkeypatch: pytest.MonkeyPatch) -> Talk:
    monkeypatch.setattr(server_stream, "CHECK_S", 0.02)
    return Talk(road, replace(modern, server=OWN))


async def test_a_client_hears_what_it_asked_for(talk: Talk, looked_at: list[str]) -> None:
    found = (await talk.caller.result("server/discover"))["capabilities"]
    assert found["tools"] == {"listChanged": True}
    assert found["resources"] == {"listChanged": True, "subscribe": True}
    async with talk.listening() as (heard, _running):
        assert (heard.status, heard.header("content-type")) == (200, "text/event-stream")
        talk.says(told("tools/list_changed"), updated("file:///a"), told("resources/list_changed"))
        await heard.until(lambda each: len(heard_events(each.body)) == 4)
        assert heard_events(heard.body) == [
            told("subscriptions/acknowledged", notifications=ALL),
            told("tools/list_changed"),
            updated("file:///a"),
            told("resources/list_changed"),
        ]
    assert looked_at == [BACKEND, BACKEND]
    arrived, asked = talk.server.requests[-1], talk.server.heard[-1]
    assert (arrived.header("mcp-method"), asked["params"]["notifications"]) == (LISTEN, ALL)
    assert asked["id"] == heard.request_id
    assert talk.caller.token not in str(arrived.headers)
    await asyncio.wait_for(talk.left.wait(), 5)
    event_ = (await events(heard.request_id))[-1]
    assert (event_.operation, event_.reason) == (LISTEN, "client_gone")


async def test_a_client_hears_nothing_else(talk: Talk, looked_at: list[str]) -> None:
    async with talk.listening({"promptsListChanged": True, "resourceSubscriptions": ["file:///a"]}) as (
        heard,
        _running,
    ):
        # What it did not ask for, what it may not read, and what is no matter of a subscription
        talk.says(told("tools/list_changed"), updated("file:///closed"), updated("file:///none"))
        talk.says(told("message", level="info", data="x"), told("resources/updated", uri=7))
        talk.says({"jsonrpc": "2.0", "method": ["x"]}, updated("file:///a/part"))
        await heard.until(lambda each: len(heard_events(each.body)) == 2)
        first, second = heard_events(heard.body)
    # That server announces no change of its prompts
    assert first["params"]["notifications"] == {"resourceSubscriptions": ["file:///a"]}
    assert second == updated("file:///a/part")
    assert looked_at == [BACKEND]


@pytest.mark.parametrize(
    ("capabilities", "wanted", "granted"),
    [
        (ANNOUNCES, {"toolsListChanged": True, "taskIds": ["1"]}, {"toolsListChanged": True}),
        (ANNOUNCES, {"toolsListChanged": False, "resourcesListChanged": 1}, {}),
        (ANNOUNCES, {"resourceSubscriptions": ["file:///closed", "file:///none"]}, {}),
        ({"tools": {"listChanged": True}, "resources": {}}, ALL, {"toolsListChanged": True}),
    ],
)
async def test_only_what_is_offered_to_the_caller_is_granted(
    talk: Talk, capabilities: dict[str, Any], wanted: dict[str, Any], granted: dict[str, Any]
) -> None:
    talk.announces(capabilities)
    async with talk.listening(wanted) as (heard, _running):
        assert heard_events(heard.body)[0]["params"]["notifications"] == granted
    assert talk.server.heard[-1]["params"]["notifications"] == granted


async def test_a_server_may_grant_less(talk: Talk) -> None:
    async def say(wire: Wire, message: dict[str, Any]) -> None:
        early = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
        granted = acknowledged(message, {"resourcesListChanged": True, "promptsListChanged": True})
        await wire.write(EVENTS_HEAD + event(early) + event(granted) + event(early) + chunk(b""))

    talk.server.says(LISTEN, say)
    heard = await talk.heard(ALL)
    # It only broke off: there is no result
    assert heard_events(heard.body) == [
        told("subscriptions/acknowledged", notifications={"resourcesListChanged": True})
    ]
    assert heard.complete


async def test_a_server_that_ends_it_is_told_from_one_that_breaks_off(talk: Talk) -> None:
    async with talk.listening() as (heard, running):
        talk.says({"jsonrpc": "2.0", "id": heard.request_id, "result": {"_meta": {ID_KEY: heard.request_id}}})
        talk.says(told("tools/list_changed"))
        talk.saying.put_nowait(chunk(b""))
        await asyncio.wait_for(running, 5)
        _granted, last = heard_events(heard.body)
    assert last == {"jsonrpc": "2.0", "id": 7, "result": {"resultType": "complete", "_meta": {ID_KEY: 7}}}


async def test_the_end_of_the_process_and_long_silence_are_good_ends(
    talk: Talk, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "EVENT_STREAM_IDLE_S", 0.2)
    async with talk.listening() as (silent, running):
        await asyncio.wait_for(running, 5)
    monkeypatch.undo()
    monkeypatch.setattr(server_stream, "CHECK_S", 0.02)
    async with talk.listening() as (heard, running):
        road.plane.drain()
        await asyncio.wait_for(running, 2)
    for each in (silent, heard):
        assert (each.complete, "result" in heard_events(each.body)[-1]) == (True, True)


async def test_who_is_revoked_hears_no_more(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_asked: object) -> None:
        raise InvalidCredential(reason="revoked")

    async with talk.listening() as (heard, running):
        monkeypatch.setattr(Identifier, "bearer", refuse)
        talk.says(told("tools/list_changed"))
        await asyncio.wait_for(running, 5)
        assert [each["method"] for each in heard_events(heard.body)] == [ACK]
    event_ = (await events(heard.request_id))[-1]
    assert (event_.decision, event_.reason) == ("deny", "revoked")


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        [],
        "all",
        {"resourceSubscriptions": "file:///a"},
        {"resourceSubscriptions": [1]},
        {"resourceSubscriptions": ["file:///a"] * 101},
    ],
)
async def test_a_message_must_say_what_to_tell_of(talk: Talk, wanted: object) -> None:
    heard = await talk.heard(wanted)
    assert (heard.status, heard.json()["error"]["code"]) == (400, -32602)
    assert talk.server.heard == []


async def test_where_nothing_is_announced_there_is_no_such_method(talk: Talk) -> None:
    refused = [await talk.heard(ALL, path="/mcp")]
    for capabilities, version in (({"tools": {}, "resources": {}}, MODERN), (ANNOUNCES, HANDSHAKE[0])):
        talk.announces(capabilities, version)
        refused.append(await talk.heard(ALL))
        assert (await talk.caller.result("server/discover"))["capabilities"]["tools"] == {"listChanged": False}
    assert [(each.status, each.json()["error"]["code"]) for each in refused] == [(404, -32601)] * 3


async def test_a_client_must_take_events(talk: Talk) -> None:
    assert (await talk.heard(ALL, accept=("accept", "application/json"))).status == 406


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (fails(-32601, "none of that"), -32601),
        (fails(-32603, "too many", status="400 Bad Request"), -32603),
        # A result before anything was granted, another's answer, a page, a challenge
        (results({}), -32603),
        (writes(answer(b'{"jsonrpc":"2.0","id":"x","result":{}}', JSON_TYPE)), -32603),
        (writes(answer(b"<p>", "Content-Type: text/html")), -32603),
        (writes(answer(b"", "WWW-Authenticate: Bearer", status="401 Unauthorized")), -32603),
        (writes(answer(b"", status="500 Internal Server Error")), -32603),
        (writes(EVENTS_HEAD + event({"jsonrpc": "2.0", "method": ACK}) + chunk(b"")), -32603),
    ],
)
async def test_a_server_that_grants_nothing_is_an_error(talk: Talk, said: Any, code: int) -> None:
    talk.server.says(LISTEN, said)
    heard = await talk.heard(ALL)
    assert (heard.status, heard.json()["id"], heard.json()["error"]["code"]) == (200, 7, code)
    assert heard.values("www-authenticate") == []
    assert (await events(heard.request_id))[-1].operation == LISTEN


async def test_one_caller_listens_so_often_and_no_more(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "LISTENERS_OF_ONE_MAX", 1)
    async with talk.listening():
        assert (await talk.heard(ALL)).json()["error"]["code"] == -32603
        # A call still has its place
        assert (await talk.caller.result("tools/call", {"name": "find"}))["content"] == []
