"""Servers as the data plane knows them: what of the chosen can be called, and nothing of what is switched off."""

import pytest

from proxy.catalogue.models import Operation
from proxy.catalogue.plans import ServerPlan
from proxy.catalogue.servers.models import McpServer
from proxy.catalogue.servers.save import save_server
from proxy.catalogue.snapshot import build


@pytest.fixture
def server(operations: dict[str, Operation]) -> McpServer:
    """One with tools of two backends."""
    made = McpServer(name="careers", instructions="Look first.")
    chosen = [operations[name] for name in ("jobs/search", "people/drop-people")]
    save_server(server=made, actor=None, operations=chosen)
    return made


def plan() -> ServerPlan:
    """It, as it is now compiled."""
    return build(revision=1).servers["/mcp/careers"]


@pytest.mark.usefixtures("server")
def test_it_has_what_was_chosen_and_asks_for_no_more() -> None:
    assert (list(plan().tools), plan().scopes) == (["drop-people", "search"], ("jobs:read", "jobs:write"))
    assert (plan().title, plan().instructions) == ("careers", "Look first.")
    assert plan().resource.endswith("/mcp/careers")
    assert build(revision=1).resource_at("/mcp/careers") is not None


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("change", [{"enabled": False}, {"tool_name": None}, {"auth_mode": "public"}])
def test_what_is_no_tool_any_more_is_left_out(operations: dict[str, Operation], change: dict[str, object]) -> None:
    Operation.objects.filter(pk=operations["jobs/search"].pk).update(**change)
    assert list(plan().tools) == ["drop-people"]
    assert plan().scopes == ("jobs:write",)


def test_a_backend_that_is_switched_off_takes_its_tools_along(server: McpServer) -> None:
    backend = server.operations.get(operation_id="search").backend
    backend.enabled = False
    backend.save()
    assert list(plan().tools) == ["drop-people"]


def test_one_that_is_switched_off_is_nowhere(server: McpServer) -> None:
    McpServer.objects.filter(pk=server.pk).update(enabled=False)
    assert list(build(revision=1).servers) == ["/mcp"]
