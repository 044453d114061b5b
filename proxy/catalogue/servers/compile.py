"""The MCP servers of a snapshot: the one of every tool, and those that staff put together."""

from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings

from proxy.catalogue.plans import MCP_PATH, METADATA_PATH, BackendPlan, ServerPlan, ToolPlan
from proxy.catalogue.servers.models import McpServer
from proxy.catalogue.ui_resources.compile import pages_of

WHOLE_TITLE = "Gatehouse"


def server_plans(backends: Iterable[BackendPlan]) -> dict[str, ServerPlan]:
    """Every enabled server by its path, read in two statements and made of the tools of `backends`."""
    tools = {(backend.name, plan.operation.operation_id): plan for backend in backends for plan in backend.tools}
    chosen: defaultdict[int, list[ToolPlan]] = defaultdict(list)
    for server_id, backend, operation in McpServer.operations.through.objects.filter(
        mcpserver__enabled=True
    ).values_list("mcpserver_id", "operation__backend__name", "operation__operation_id"):
        # One that is disabled, or no tool any more, is not offered
        if plan := tools.get((backend, operation)):
            chosen[server_id].append(plan)
    whole = _plan(MCP_PATH, WHOLE_TITLE, "", tools.values())
    others = [
        _plan(server.path, server.shown_title, server.instructions, chosen[server.pk])
        for server in McpServer.objects.filter(enabled=True)
    ]
    return {plan.path: plan for plan in (whole, *others)}


def chosen_by_server() -> dict[str, set[tuple[str, str]]]:
    """What enabled servers have of MCP backends, by their path: name of the backend and operation id."""
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    rows = McpServer.operations.through.objects.filter(mcpserver__enabled=True).exclude(operation__feature="")
    for name, *place in rows.values_list("mcpserver__name", "operation__backend__name", "operation__operation_id"):
        found[f"{MCP_PATH}/{name}"].add((place[0], place[1]))
    return dict(found)


def _plan(path: str, title: str, instructions: str, tools: Iterable[ToolPlan]) -> ServerPlan:
    plans = sorted(tools, key=lambda plan: plan.tool.row.name)
    issuer = settings.PUBLIC_BASE_URL
    return ServerPlan(
        path=path,
        title=title,
        instructions=instructions,
        tools={plan.tool.row.name: plan for plan in plans},
        own_resources=pages_of(plans),
        resource=f"{issuer}{path}",
        resource_metadata=f"{issuer}{METADATA_PATH}{path}",
        scopes=tuple(sorted({scope for plan in plans for scope in plan.operation.named_scopes})),
    )
