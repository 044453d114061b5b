"""MCP servers that staff put together: some tools, words and tokens of their own, and no way to any other."""

from dataclasses import replace

import pytest

from tests.proxy.asgi_client import HOST
from tests.proxy.entrypoints.mcp.conftest import Caller
from tests.proxy.entrypoints.mcp.test_protocol import PING
from tests.proxy.plane import Road
from tests.proxy.raw_backend import answer
from tests.proxy.world import SERVER, bearer, events

METADATA = "/.well-known/oauth-protected-resource"


@pytest.fixture
def chosen(caller: Caller) -> Caller:
    """A client of each era at that server, with every permission."""
    return replace(caller, token=caller.road.stored.chosen, server=SERVER)


async def test_it_offers_what_was_chosen_and_nothing_else(chosen: Caller) -> None:
    assert [tool["name"] for tool in (await chosen.result("tools/list"))["tools"]] == ["jobs-0", "jobs-2"]
    for name in ("jobs-1", "narrow-0"):
        heard = await chosen.send("tools/call", {"name": name, "arguments": {}})
        assert heard.json()["error"]["code"] == -32602
    assert chosen.road.upstream.arrived == []


async def test_a_tool_of_it_is_called_and_recorded_as_its_own(chosen: Caller, road: Road) -> None:
    road.upstream.says(answer(b'{"id": 7}', "Content-Type: application/json"))
    heard = await chosen.send("tools/call", {"name": "jobs-0", "arguments": {"id": "7"}})
    assert heard.json()["result"]["structuredContent"] == {"id": 7}
    assert road.upstream.request.line == "GET /jobs/jobs/7 HTTP/1.1"
    (event,) = await events(heard.request_id)
    assert (event.operation, event.backend, event.decision) == ("jobs-0", "jobs", "allow")
    assert event.audience.endswith(SERVER)


async def test_it_speaks_of_itself(legacy: Caller, modern: Caller, road: Road) -> None:
    token = road.stored.chosen
    said = await replace(legacy, token=token, server=SERVER).result("initialize", {"protocolVersion": "2025-11-25"})
    found = await replace(modern, token=token, server=SERVER).result("server/discover")
    for result, info in ((said, said["serverInfo"]), (found, found["_meta"]["io.modelcontextprotocol/serverInfo"])):
        assert result["instructions"] == "Look before you apply."
        assert (info["name"], info["title"]) == ("careers", "Careers")


async def test_its_tokens_open_no_other_server_and_the_other_way_round(legacy: Caller, road: Road) -> None:
    pairs = ((road.stored.chosen, "/mcp"), (road.stored.tools_write, SERVER), (road.stored.write, SERVER))
    for token, path in (*pairs, (road.stored.chosen, f"{SERVER}x")):
        heard = await replace(legacy, token=token, server=path).post(PING)
        assert (heard.status, heard.json()["error"]) == (401, "invalid_token")
        (event,) = await events(heard.request_id)
        assert event.reason == "wrong_audience"
    heard = await road.call("GET", "/api/v1/jobs/jobs/7", HOST, bearer(road.stored.chosen))
    assert heard.status == 401


async def test_whoever_has_no_token_is_asked_for_what_its_tools_need(road: Road) -> None:
    heard = await Caller(road, "", server=SERVER).post(PING)
    challenge = heard.header("www-authenticate")
    assert heard.status == 401
    assert f'{METADATA}{SERVER}", scope="jobs:read"' in challenge


async def test_its_metadata_names_it_and_its_permissions(road: Road) -> None:
    found = (await road.call("GET", f"{METADATA}{SERVER}", HOST)).json()
    assert found["resource"].endswith(SERVER)
    assert (found["resource_name"], found["scopes_supported"]) == ("Careers", ["jobs:read"])
    for path in (f"{SERVER}/", f"{SERVER}x", "/mcp/none"):
        assert (await road.call("GET", f"{METADATA}{path}", HOST)).status == 404
