"""Messages to the MCP server of a running data plane, as clients of either era send them."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections

from proxy.entrypoints.mcp.revisions import HANDSHAKE, MODERN
from proxy.upstream.mcp.looking import Looking
from tests.proxy.asgi_client import HOST, Exchange
from tests.proxy.plane import Road
from tests.proxy.world import bearer

META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
}
JSON = ("content-type", "application/json")
ACCEPT = ("accept", "application/json, text/event-stream")


@dataclass(frozen=True)
class Caller:
    """A client of one revision with one token."""

    road: Road
    token: str
    version: str = HANDSHAKE[0]
    server: str = "/mcp"

    async def post(self, content: bytes, *headers: tuple[str, str], path: str = "") -> Exchange:
        """Send a body as it is."""
        sent = (HOST, JSON, ACCEPT, *([bearer(self.token)] if self.token else []), *headers)
        framing = ("content-length", str(len(content)))
        return await self.road.call("POST", path or self.server, *sent, framing, body=(content,))

    async def send(self, method: str, params: dict[str, Any] | None = None, *, number: int = 1) -> Exchange:
        """Send a request."""
        params = dict(params or {})
        headers = [("mcp-protocol-version", self.version)]
        if self.version == MODERN:
            params["_meta"] = META | params.get("_meta", {})
            headers.append(("mcp-method", method))
            named = params.get("name", params.get("uri"))
            headers += [("mcp-name", str(named))] if named is not None else []
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        return await self.post(json.dumps(message).encode(), *headers)

    async def result(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """The result of a request that has one."""
        heard = await self.send(method, params)
        assert (heard.status, heard.header("content-type")) == (200, "application/json"), heard.body
        document = heard.json()
        assert (document["jsonrpc"], document["id"]) == ("2.0", 1)
        found: dict[str, Any] = document["result"]
        return found

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The result of a tool."""
        return await self.result("tools/call", {"name": tool, "arguments": arguments})


@pytest.fixture
async def road(road: Road) -> Road:
    """The road with its catalogue as it stays: the first reading may make a signing key, and a second one follows."""

    def settle() -> None:
        try:
            road.plane.watcher.refresh()
        finally:
            connections.close_all()

    await asyncio.to_thread(settle)
    return road


@pytest.fixture(params=[MODERN, HANDSHAKE[0], HANDSHAKE[-1]])
def caller(road: Road, request: pytest.FixtureRequest) -> Caller:
    """A client of each era, with every permission."""
    return Caller(road, road.stored.tools_write, request.param)


@pytest.fixture
def legacy(road: Road) -> Caller:
    """A client of the revision that most hosts speak."""
    return Caller(road, road.stored.tools_write)


@pytest.fixture
def modern(road: Road) -> Caller:
    """A client without a handshake."""
    return Caller(road, road.stored.tools_write, MODERN)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The backends that are asked again soon."""
    found: list[str] = []
    monkeypatch.setattr(Looking, "lists_changed", lambda _looking, backend: found.append(backend))
    return found
