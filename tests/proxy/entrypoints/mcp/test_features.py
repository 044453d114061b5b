"""What is listed of MCP servers behind this one, to whom, and what the gateway keeps itself."""

from dataclasses import replace

from proxy.entrypoints.mcp.pages import PAGE
from proxy.entrypoints.mcp.revisions import MODERN
from tests.proxy.entrypoints.mcp.conftest import Caller
from tests.proxy.entrypoints.mcp.federation import behind, feature, own, serve
from tests.proxy.plane import Road
from tests.proxy.world import events

PAGE_URI = "ui://gatehouse/approve"


async def test_tools_of_both_kinds_stand_in_one_order(caller: Caller, road: Road) -> None:
    serve(road, feature("tool", "kinds"), feature("tool", "a-first"), feature("tool", "zz-last"))
    names = [tool["name"] for tool in (await caller.result("tools/list"))["tools"]]
    assert names == sorted(names)
    assert {"a-first", "jobs-0", "kinds", "zz-last"} <= set(names)


async def test_only_what_the_token_opens_is_listed(caller: Caller, road: Road) -> None:
    for kind in ("tool", "prompt", "resource", "resource_template"):
        serve(road, feature(kind, "x:read"), feature(kind, "x:write", scopes=("jobs:write",)))
        method, member = {
            "tool": ("tools/list", "tools"),
            "prompt": ("prompts/list", "prompts"),
            "resource": ("resources/list", "resources"),
            "resource_template": ("resources/templates/list", "resourceTemplates"),
        }[kind]
        everything = str((await caller.result(method))[member])
        assert ("x:read" in everything, "x:write" in everything) == (True, True)
        some = str((await replace(caller, token=road.stored.tools_read).result(method))[member])
        assert ("x:read" in some, "x:write" in some) == (True, False)


async def test_a_server_says_what_it_has(legacy: Caller, modern: Caller, road: Road) -> None:
    behind(road, MODERN, "completions", "logging")
    serve(road, feature("prompt", "greet"), feature("resource", "file:///a"))
    asked = {"protocolVersion": "2025-11-25"}
    for found in (await legacy.result("initialize", asked), await modern.result("server/discover")):
        unchanging = {"listChanged": False}
        assert found["capabilities"] == {
            "tools": unchanging,
            "prompts": unchanging,
            "resources": unchanging,
            "completions": {},
        }
    serve(road, own_resources={PAGE_URI: own(PAGE_URI)})
    assert (await modern.result("server/discover"))["capabilities"].keys() == {"tools", "resources"}


async def test_long_lists_come_in_pages(caller: Caller, road: Road) -> None:
    serve(road, *(feature("resource", f"file:///{number:04}") for number in range(PAGE + 1)))
    first = await caller.result("resources/list")
    rest = await caller.result("resources/list", {"cursor": first["nextCursor"]})
    assert (len(first["resources"]), [each["uri"] for each in rest["resources"]]) == (PAGE, [f"file:///{PAGE:04}"])
    assert "nextCursor" not in rest


async def test_ten_thousand_tools_are_read_to_the_end(legacy: Caller, road: Road) -> None:
    behind(road)
    own_tools = set(road.plane.watcher.snapshot.servers["/mcp"].tools)
    serve(road, *(feature("tool", f"tool-{number:05}") for number in range(10_000)))
    params: dict[str, str] = {}
    found: list[str] = []
    while True:
        page = await legacy.result("tools/list", params)
        assert len(page["tools"]) <= PAGE
        found += [tool["name"] for tool in page["tools"]]
        if "nextCursor" not in page:
            break
        params = {"cursor": page["nextCursor"]}
    assert found == sorted(found)
    assert set(found) - own_tools == {f"tool-{number:05}" for number in range(10_000)}
    assert (await legacy.call("tool-09999"))["content"] == []


async def test_lists_are_the_callers_own(modern: Caller, road: Road) -> None:
    serve(road, feature("prompt", "greet"), feature("resource", "file:///a"))
    for method in ("prompts/list", "resources/list", "resources/templates/list"):
        result = await modern.result(method)
        assert (result["resultType"], result["cacheScope"], result["ttlMs"]) == ("complete", "private", 60_000)


async def test_the_gateways_own_resources_are_for_every_caller(caller: Caller, road: Road) -> None:
    serve(road, feature("resource", "file:///a"), own_resources={PAGE_URI: own(PAGE_URI)})
    reader = replace(caller, token=road.stored.tools_read)
    assert [each["uri"] for each in (await reader.result("resources/list"))["resources"]] == ["file:///a", PAGE_URI]
    heard = await reader.send("resources/read", {"uri": PAGE_URI})
    assert heard.json()["result"]["contents"][0]["text"] == "<p>ours</p>"
    (event,) = await events(heard.request_id)
    assert (event.operation, event.decision) == ("resources/read", "allow")


async def test_an_unknown_resource(legacy: Caller, modern: Caller, road: Road) -> None:
    serve(road, feature("resource", "file:///a"))
    for uri in ("file:///b", "FILE:///a", "file:///a/", ""):
        assert (await legacy.send("resources/read", {"uri": uri})).json()["error"]["code"] == -32002
        assert (await modern.send("resources/read", {"uri": uri})).json()["error"]["code"] == -32602
    for value in (None, 7, ["file:///a"]):
        assert (await legacy.send("resources/read", {"uri": value})).json()["error"]["code"] == -32602
