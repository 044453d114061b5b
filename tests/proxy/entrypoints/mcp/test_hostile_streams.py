"""MCP servers that never stop asking: cut off after a while, and never read ahead of."""

import asyncio
from typing import Any

import pytest

from proxy.entrypoints.mcp import upstream_call
from proxy.entrypoints.mcp.revisions import HANDSHAKE, MODERN
from tests.proxy.asgi_client import HOST
from tests.proxy.entrypoints.mcp.conftest import Caller
from tests.proxy.entrypoints.mcp.federation import BACKEND, EVENTS_HEAD, McpServer, behind, event, feature, serve
from tests.proxy.plane import Road
from tests.proxy.raw_backend import Wire
from tests.proxy.world import bearer, events

OWN = f"/mcp/{BACKEND}"
LIMIT = 20
PAD = "x" * 10_000
# What the system holds between two sockets
ON_THE_WAY_BYTES = 16_000_000


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_call, "REQUESTS_MAX", LIMIT)


class Asking:
    """Asks until nobody listens any more."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.written_bytes = 0
        self.left = asyncio.Event()

    async def __call__(self, wire: Wire, message: dict[str, Any]) -> None:
        """Answer a call, or a GET."""
        del message
        params = {"_meta": {"pad": PAD}}
        try:
            await wire.write(EVENTS_HEAD)
            while self.written_bytes < 10 * ON_THE_WAY_BYTES:
                said = event({"jsonrpc": "2.0", "id": 1, "method": self.method, "params": params})
                await wire.write(said)
                self.written_bytes += len(said)
        finally:
            self.left.set()


def answered(server: McpServer) -> int:
    """How many of its requests were answered."""
    return sum("method" not in each for each in server.heard)


@pytest.mark.parametrize("method", ["ping", "sampling/createMessage"])
@pytest.mark.parametrize("version", [MODERN, HANDSHAKE[0]])
async def test_a_call_of_a_server_that_asks_without_end_fails(
    caller: Caller, road: Road, method: str, version: str
) -> None:  # fmt: skip
    server, asking = behind(road, version), Asking(method)
    serve(road, feature("tool", "find"))
    server.says("tools/call", asking)
    heard = await asyncio.wait_for(caller.send("tools/call", {"name": "find"}), 20)
    result = heard.json()["result"]
    assert (result["isError"], "without end" in result["content"][0]["text"]) == (True, True)
    await asyncio.wait_for(asking.left.wait(), 5)
    assert answered(server) == LIMIT
    assert asking.written_bytes < ON_THE_WAY_BYTES
    last = (await events(heard.request_id))[-1]
    assert (last.decision, last.reason) == ("error", "mcp_requests")


async def test_a_server_that_asks_without_end_is_listened_to_no_more(legacy: Caller, road: Road) -> None:
    server, asking = behind(road, HANDSHAKE[0]), Asking("ping")
    server.session = "up-1"
    serve(road, path=OWN, backend=BACKEND, resource=road.plane.watcher.snapshot.servers["/mcp"].resource)
    asked = b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}'
    session = ("mcp-session-id", (await legacy.post(asked, path=OWN)).header("mcp-session-id"))
    server.says("GET", asking)
    sent = (HOST, ("accept", "text/event-stream"), bearer(legacy.token), session)
    heard = await asyncio.wait_for(road.call("GET", OWN, *sent), 20)
    await asyncio.wait_for(asking.left.wait(), 5)
    assert (heard.complete, answered(server)) == (True, LIMIT)
    assert asking.written_bytes < ON_THE_WAY_BYTES
    assert (await events(heard.request_id))[-1].reason == "mcp_requests"
