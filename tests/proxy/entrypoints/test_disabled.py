"""What staff switch off is gone for every caller, and nothing wider answers in its place."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from proxy.catalogue.models import Backend, BackendKind, Operation
from proxy.catalogue.save import save_backend, save_operation
from tests.proxy.asgi_client import HOST, Exchange
from tests.proxy.plane import Road
from tests.proxy.world import API_KEY, Stored, bearer
from tests.tcp_server import HOST as BACKEND

SHOP, AGENTS = "/api/v1/shop", "/api/v1/agents"
KEY = ("x-api-key", API_KEY)


def keep(stored: Stored, name: str, *operations: dict[str, Any], **fields: Any) -> None:
    """Store a backend with its operations."""
    backend = Backend(
        name=name,
        prefix=f"/api/v1/{name}",
        upstream_url=f"http://{BACKEND}:{stored.port}",
        allow_private=True,
        **fields,
    )
    save_backend(backend=backend, actor=None)
    for number, operation in enumerate(operations):
        save_operation(operation=Operation(backend=backend, operation_id=f"{name}-{number}", **operation), actor=None)


@pytest.fixture(scope="module", autouse=True)
def _catalogue(stored: Stored) -> None:
    """A search that is off below everything that is on, twice; and the methods of a JSON-RPC backend."""
    everything, off = {"methods": ["GET"], "path": "/**"}, {"path": "/jobs/search", "enabled": False}
    keep(stored, "shop", everything, {"methods": ["GET"], **off}, auth_mode="api_key")
    keep(stored, "empty", auth_mode="api_key")
    keep(stored, "tooled", everything | {"tool_name": "anything"}, {"methods": ["GET"], "tool_name": "search", **off})
    at, post = {"methods": ["POST"], "path": "/rpc"}, {"methods": ["POST"], "path": "/**"}
    gone = {"rpc_method": "start", "enabled": False}
    keep(
        stored, "agents", post, {"methods": ["POST"], "path": "/all-on", "rpc_method": "list"},
        at | {"rpc_method": "list"}, at | gone, {"methods": ["POST"], "path": "/old", **gone},
        kind=BackendKind.JSONRPC, auth_mode="api_key",
    )  # fmt: skip


@dataclass(frozen=True)
class Poster:
    """Sends JSON."""

    road: Road

    async def post(self, target: str, document: dict[str, Any], *headers: tuple[str, str]) -> Exchange:
        """POST `document`."""
        content = json.dumps({"jsonrpc": "2.0", "id": 1} | document).encode()
        sent = [HOST, ("content-type", "application/json"), ("content-length", str(len(content))), *headers]
        return await self.road.call("POST", target, *sent, body=(content,))

    async def tool(self, name: str, **arguments: Any) -> Any:
        """What calling a tool says."""
        headers = [("accept", "application/json, text/event-stream"), bearer(self.road.stored.tools_write)]
        called = {"method": "tools/call", "params": {"name": name, "arguments": arguments}}
        return (await self.post("/mcp", called, *headers)).json()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/jobs/search", "/jobs/search/", "/jobs/%73earch", "/jobs/search?q=a"])
async def test_an_operation_that_is_off_is_not_found(road: Road, method: str, path: str) -> None:
    assert (await road.call(method, f"{SHOP}{path}", KEY)).status == 404
    assert (await road.call("GET", f"{SHOP}/jobs/searches", KEY)).status == 200
    assert [each.target for each in road.upstream.arrived] == ["/jobs/searches"]


async def test_it_is_refused_in_the_words_of_what_was_never_there(road: Road) -> None:
    off = await road.call("GET", f"{SHOP}/jobs/search", KEY)
    never = await road.call("GET", "/api/v1/empty/jobs/search", KEY)
    assert off.json() | {"request_id": ""} == never.json() | {"request_id": ""}
    assert {name for name, _value in off.headers} == {name for name, _value in never.headers}


async def test_a_tool_that_is_off_is_none_and_a_wider_one_does_not_lead_there(road: Road) -> None:
    poster = Poster(road)
    off, never = [json.dumps(await poster.tool(name)).replace(name, "x") for name in ("search", "never")]
    assert off == never
    assert (await poster.tool("anything", path="jobs/search"))["result"]["isError"]
    assert "isError" not in (await poster.tool("anything", path="jobs/searches"))["result"]
    assert [each.target for each in road.upstream.arrived] == ["/jobs/searches"]


@pytest.mark.parametrize("place", ["/rpc", "/rpc/", "/old", "/old/", "/all-on/"])
async def test_a_method_that_is_off_is_not_sent_by_what_takes_any_body(road: Road, place: str) -> None:
    assert (await Poster(road).post(f"{AGENTS}{place}", {"method": "start"}, KEY)).status == 404
    assert road.upstream.arrived == []
