"""Clients of either era at a server that is made with the MCP project's own library, which speaks both."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel

from proxy.entrypoints.mcp.revisions import HANDSHAKE, MODERN
from tests.proxy.entrypoints.mcp.conftest import Caller
from tests.proxy.entrypoints.mcp.federation import BACKEND, behind, feature, heard_events, serve
from tests.proxy.plane import Road
from tests.proxy.plans import backend_plan
from tests.sdk_server import served, weather_server


class Stay(BaseModel):
    """How long."""

    nights: int


class Name(BaseModel):
    """Who."""

    name: str


def telling_server() -> MCPServer:
    """The weather, a tool that says how far it is, and one that asks."""
    server = weather_server()

    @server.tool()
    async def walk(context: Context) -> str:
        """Go somewhere."""
        await context.report_progress(1, 2, "half way")
        return "there"

    @server.tool()
    async def stay(context: Context) -> str:
        """Ask how long, and then who."""
        long = await context.elicit("How long?", Stay)
        who = await context.elicit("Who?", Name)
        nights = long.data.nights if long.action == "accept" else 0
        return f"{nights} nights for {who.data.name if who.action == 'accept' else 'nobody'}"

    return server


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(telling_server()) as started:
        yield started


@pytest.fixture(params=[MODERN, HANDSHAKE[0]])
def weather(road: Road, url: str, request: pytest.FixtureRequest) -> None:
    behind(road, request.param, "completions")
    watcher = road.plane.watcher
    known = watcher.snapshot.backends[BACKEND]
    plan = replace(known, upstream_url=url, base=backend_plan(url).base, timeout_s=15.0)
    watcher.snapshot = replace(watcher.snapshot, backends={**watcher.snapshot.backends, BACKEND: plan})
    serve(
        road,
        feature("tool", "talk_forecast", upstream="forecast"),
        feature("tool", "walk"),
        feature("tool", "stay"),
        feature("prompt", "plan"),
        feature("resource", "weather://cities"),
        feature("resource_template", "weather://cities/{city}"),
    )


@pytest.mark.usefixtures("weather")
async def test_everything_it_has(caller: Caller) -> None:
    told = await caller.call("talk_forecast", city="Lisbon")
    assert told["content"][0]["text"] == "Sun in Lisbon"
    prompt = await caller.result("prompts/get", {"name": "plan", "arguments": {"city": "Porto"}})
    assert prompt["messages"][0]["content"]["text"] == "Plan a day in Porto"
    for uri, text in (("weather://cities", "Lisbon"), ("weather://cities/Porto", "Porto")):
        read = await caller.result("resources/read", {"uri": uri})
        assert read["contents"][0]["text"] == text


@pytest.mark.usefixtures("weather")
async def test_it_says_how_far_it_is(legacy: Caller) -> None:
    async with asyncio.timeout(15):
        heard = await legacy.send("tools/call", {"name": "walk", "_meta": {"progressToken": "t"}})
    told, last = heard_events(heard.body)
    assert (told["params"]["progressToken"], told["params"]["message"]) == ("t", "half way")
    assert last["result"]["content"][0]["text"] == "there"


@pytest.mark.parametrize("weather", [HANDSHAKE[0]], indirect=True)
@pytest.mark.usefixtures("weather")
async def test_it_asks_a_client_of_the_newest_revision(modern: Caller) -> None:
    asked = {"name": "stay", "_meta": {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}}
    result, said = await modern.result("tools/call", asked), []
    for content in ({"nights": 3}, {"name": "Ana"}):
        question = result["inputRequests"]["input"]
        said.append((question["method"], question["params"]["message"]))
        answers = {"input": {"action": "accept", "content": content}}
        again = {"inputResponses": answers, "requestState": result["requestState"]}
        result = await modern.result("tools/call", asked | again)
    assert said == [("elicitation/create", "How long?"), ("elicitation/create", "Who?")]
    assert result["content"][0]["text"] == "3 nights for Ana"
