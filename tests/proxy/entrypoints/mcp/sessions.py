"""A client in a session at an MCP server behind the gateway."""

import json
from dataclasses import dataclass
from typing import Any

from proxy.entrypoints.mcp.revisions import HANDSHAKE
from tests.proxy.asgi_client import Exchange
from tests.proxy.entrypoints.mcp.conftest import Caller
from tests.proxy.entrypoints.mcp.federation import BACKEND, McpServer, behind, feature, serve
from tests.proxy.plane import Road

OWN = f"/mcp/{BACKEND}"


@dataclass
class Talk:
    """A client with a handshake in a session at the server behind."""

    server: McpServer
    caller: Caller
    session: tuple[str, str]

    async def post(self, document: dict[str, Any], *, caller: Caller | None = None) -> Exchange:
        """Send a message in the session."""
        content = json.dumps({"jsonrpc": "2.0", **document}).encode()
        return await (caller or self.caller).post(content, self.session, path=OWN)


async def initialize(caller: Caller, road: Road, version: str = HANDSHAKE[0]) -> Talk:
    """Begin a session at a server that the gateway speaks `version` with."""
    server = behind(road, version, "logging")
    server.version, server.session = HANDSHAKE[0], "up-1"
    resource = road.plane.watcher.snapshot.servers["/mcp"].resource
    serve(road, feature("tool", "find"), path=OWN, backend=BACKEND, resource=resource)
    params = {"protocolVersion": HANDSHAKE[0], "capabilities": {"elicitation": {}, "experimental": {"x": {}}}}
    content = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}).encode()
    heard = await caller.post(content, path=OWN)
    assert heard.json()["result"]["capabilities"]["logging"] == {}
    assert server.heard[-1]["params"]["capabilities"] == {"elicitation": {}}
    return Talk(server, caller, ("mcp-session-id", heard.header("mcp-session-id")))
