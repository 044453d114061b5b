"""MCP servers behind this one: what staff approved of them, as the data plane knows it, and what they answer."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from proxy.catalogue.plans import FeaturePlan, McpFacts, OperationPlan, OwnResource, ServerPlan
from proxy.entrypoints.mcp.revisions import MODERN
from tests.proxy.plane import Road
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import Arrived, RawBackend, Wire, answer, chunk, silence

BACKEND = "talk"
MEMBERS = {"tool": "name", "prompt": "name", "resource": "uri", "resource_template": "uriTemplate"}


def feature(kind: str, name: str, *, scopes: tuple[str, ...] = ("jobs:read",), **shown: Any) -> FeaturePlan:
    """A feature; `upstream` is its name at the backend, by default the same."""
    upstream_name = shown.pop("upstream", name)
    definition = {MEMBERS[kind]: name, **({"inputSchema": {"type": "object"}} if kind == "tool" else {}), **shown}
    operation = OperationPlan(
        operation_id=f"{BACKEND}-{upstream_name}",
        template=f"/mcp/{BACKEND}",
        auth_mode="oauth",
        scopes=scopes,
        scope_set=frozenset(scopes),
        max_request_bytes=1_048_576,
    )
    return FeaturePlan(
        feature=kind,
        name=name,
        upstream_name=upstream_name,
        definition=definition,
        operation=operation,
        backend=BACKEND,
    )


def by_kind(*features: FeaturePlan) -> Mapping[str, Mapping[str, FeaturePlan]]:
    """Features as a server holds them."""
    return {
        kind: MappingProxyType({each.name: each for each in sorted(features, key=_name) if each.feature == kind})
        for kind in MEMBERS
    }


def _name(plan: FeaturePlan) -> str:
    return plan.name


def own(uri: str) -> OwnResource:
    """A resource that the gateway keeps."""
    return OwnResource(uri, {"uri": uri, "name": uri}, {"uri": uri, "mimeType": "text/html", "text": "<p>ours</p>"})


def serve(road: Road, *features: FeaturePlan, path: str = "/mcp", **changes: Any) -> ServerPlan:
    """Put features into the catalogue of a running data plane."""
    watcher = road.plane.watcher
    server = replace(watcher.snapshot.servers["/mcp"], features=by_kind(*features), path=path, **changes)
    watcher.snapshot = replace(watcher.snapshot, servers={**watcher.snapshot.servers, path: server})
    return server


def behind(road: Road, version: str = MODERN, *capabilities: str, **changes: Any) -> "McpServer":
    """An MCP server behind the gateway, at the backend of this road."""
    watcher = road.plane.watcher
    fields: dict[str, Any] = {
        "name": BACKEND, "prefix": f"/mcp/{BACKEND}", "max_concurrency": 8, "kind": "mcp",
        "mcp": McpFacts(version, {name: {} for name in capabilities}),
    }  # fmt: skip
    plan = backend_plan(f"{road.upstream.url}/talk/", **(fields | changes))
    watcher.snapshot = replace(watcher.snapshot, backends={**watcher.snapshot.backends, BACKEND: plan})
    return McpServer(road.upstream, version)


Says = Callable[[Wire, dict[str, Any]], Awaitable[None]]


class McpServer:
    """Answers each method as a test says. `heard` are the messages posted to it, `session` is what it names, if any."""

    def __init__(self, backend: RawBackend, version: str) -> None:
        self.heard: list[dict[str, Any]] = []
        self.requests: list[Arrived] = []
        self.session = ""
        self.capabilities: dict[str, Any] = {}
        self.closed = asyncio.Event()
        self.version = version
        self._says: dict[str, Says] = {}
        self._posted = asyncio.Condition()
        self._backend = backend
        backend.says(self._answer)

    def says(self, method: str, said: Says) -> None:
        """How a method is answered."""
        self._says[method] = said

    def said(self) -> Iterator[tuple[dict[str, Any], Arrived]]:
        """Each message with the request that carried it."""
        return zip(self.heard, self.requests, strict=True)

    async def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message that is so, once it is there."""
        async with asyncio.timeout(5), self._posted:
            await self._posted.wait_for(lambda: any(map(condition, self.heard)))
        return next(filter(condition, self.heard))

    async def _answer(self, wire: Wire) -> None:
        arrived = self._backend.arrived[-1]
        self.requests.append(arrived)
        message = json.loads(arrived.content) if arrived.content else {"method": arrived.line.split(" ")[0]}
        self.heard.append(message)
        async with self._posted:
            self._posted.notify_all()
        if said := self._says.get(message.get("method", "")):
            await said(wire, message)
        elif message.get("method") == "initialize":
            named = [f"Mcp-Session-Id: {self.session}"] if self.session else []
            result = {"protocolVersion": self.version, "capabilities": self.capabilities, "serverInfo": INFO}
            await wire.write(answer(_response(message, result), JSON_TYPE, *named))
        elif "id" in message and "method" in message:
            await wire.write(answer(_response(message, {"content": []}), JSON_TYPE))
        else:
            await wire.write(answer(b"", status="202 Accepted"))


INFO = {"name": "t", "version": "1"}
JSON_TYPE = "Content-Type: application/json"
EVENTS_TYPE = "Content-Type: text/event-stream"


def _response(message: dict[str, Any], result: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()


def results(result: dict[str, Any]) -> Says:
    """Answers with a result, as JSON."""

    async def say(wire: Wire, message: dict[str, Any]) -> None:
        await wire.write(answer(_response(message, result), JSON_TYPE))

    return say


def fails(code: int, words: str, data: object = None, *, status: str = "200 OK") -> Says:
    """Answers with an error."""

    async def say(wire: Wire, message: dict[str, Any]) -> None:
        error = {"code": code, "message": words} | ({} if data is None else {"data": data})
        document = {"jsonrpc": "2.0", "id": message["id"], "error": error}
        await wire.write(answer(json.dumps(document).encode(), JSON_TYPE, status=status))

    return say


def writes(data: bytes) -> Says:
    """Answers with bytes."""

    async def say(wire: Wire, message: dict[str, Any]) -> None:
        del message
        await wire.write(data)

    return say


def event(document: dict[str, Any]) -> bytes:
    """A message as an event, in a chunk."""
    return chunk(b"data: " + json.dumps(document).encode() + b"\n\n")


EVENTS_HEAD = f"HTTP/1.1 200 OK\r\n{EVENTS_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()


def streams(*documents: dict[str, Any], result: dict[str, Any]) -> Says:
    """Answers with events, and a result as the last one."""

    async def say(wire: Wire, message: dict[str, Any]) -> None:
        last = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        await wire.write(EVENTS_HEAD + b"".join(map(event, (*documents, last))) + chunk(b""))

    return say


async def says_in_time(wire: Wire, waiting: asyncio.Queue[bytes]) -> None:
    """Write whatever is put there, until the other side has left."""
    leaving = asyncio.ensure_future(silence(wire))
    while not leaving.done():
        saying = asyncio.ensure_future(waiting.get())
        await asyncio.wait({leaving, saying}, return_when=asyncio.FIRST_COMPLETED)
        if saying.done():
            await wire.write(saying.result())
        saying.cancel()


def heard_events(body: bytes) -> list[dict[str, Any]]:
    """The messages of an answer in events."""
    lines = [line for line in body.decode().split("\n") if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]
