"""Which URIs a resource template opens, and that it opens no resource that stands for itself."""

from dataclasses import replace

import pytest

from tests.proxy.entrypoints.mcp.conftest import Caller
from tests.proxy.entrypoints.mcp.federation import BACKEND, behind, feature, results, serve
from tests.proxy.plane import Road


@pytest.mark.parametrize(
    "uri", ["file:///../b", "file:///..%2fb", "file:///a/b", "file:///a%2Fb", "file:///", "file:///.", "other:///a"]
)
async def test_a_template_reaches_no_further_than_it_says(legacy: Caller, road: Road, uri: str) -> None:
    server = behind(road)
    serve(road, feature("resource_template", "file:///{name}"))
    assert (await legacy.send("resources/read", {"uri": uri})).json()["error"]["code"] == -32002
    assert server.heard == []


@pytest.mark.parametrize("uri", ["file:///%73ecret", "file:///secret%20", "file:///%73ecret%20"])
async def test_a_template_is_no_way_to_a_resource_with_permissions_of_its_own(
    legacy: Caller, road: Road, uri: str
) -> None:  # fmt: skip
    server = behind(road)
    own = [feature("resource", name, scopes=("jobs:write",)) for name in ("file:///secret", "file:///secret ")]
    serve(road, *own, feature("resource_template", "file:///{name}"))
    reader = replace(legacy, token=road.stored.tools_read)
    assert (await reader.send("resources/read", {"uri": uri})).json()["error"]["code"] == -32002
    assert server.heard == []


@pytest.mark.parametrize("uri", ["file:///closed", "file:///%63losed"])
async def test_a_template_is_no_way_to_a_resource_that_is_closed(legacy: Caller, road: Road, uri: str) -> None:
    server, template = behind(road), feature("resource_template", "file:///{name}")
    server.says("resources/read", results({"contents": []}))
    closed = frozenset({(BACKEND, "file:///closed"), ("another", "file:///theirs")})
    serve(road, template, closed_uris=closed)
    assert (await legacy.send("resources/read", {"uri": uri})).json()["error"]["code"] == -32002
    assert server.heard == []
    # What another server lists is no affair of this one
    assert await legacy.result("resources/read", {"uri": "file:///theirs"}) == {"contents": []}
