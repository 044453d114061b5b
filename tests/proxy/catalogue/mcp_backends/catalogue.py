"""MCP backends in the catalogue, and what they say, without a network."""

from typing import Any

from django.utils import timezone

from oauth_provider.scopes.models import Scope
from proxy.catalogue.mcp_backends.content import Found, Look, found_of
from proxy.catalogue.mcp_backends.keep import keep_look
from proxy.catalogue.mcp_backends.models import Definition, McpBackend
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.plans import McpFacts, ServerPlan
from proxy.catalogue.snapshot import build
from proxy.catalogue.tools import JsonObject

CAPABILITIES: JsonObject = {"tools": {"listChanged": True}}


def mcp_backend(name: str = "weather", **fields: Any) -> Backend:
    """A backend that nobody has asked yet."""
    fields = {"upstream_url": "http://127.0.0.1:9/mcp", "allow_private": True} | fields
    backend = Backend(name=name, kind="mcp", prefix=f"/mcp/{name}", **fields)
    backend.full_clean()
    backend.save()
    McpBackend.objects.create(backend=backend)
    return backend


def opening(backend: Backend, name: str = "*", feature: str = "tool", **fields: Any) -> Operation:
    """An operation that opens what `name` says; nothing is approved by it."""
    Scope.objects.get_or_create(name="weather:read", defaults={"title": "Weather"})
    fields = {"operation_id": f"{feature}-{len(name)}-{Operation.objects.count()}", "scopes": ["weather:read"]} | fields
    operation = Operation(backend=backend, feature=feature, feature_name=name, methods=["POST"], **fields)
    operation.full_clean()
    operation.save()
    return operation


def tool(name: str = "forecast", **changes: Any) -> JsonObject:
    """A tool as a server lists it."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    return {"name": name, "description": "The weather of tomorrow.", "inputSchema": schema} | changes


def says(backend: Backend, *tools: JsonObject, **others: JsonObject) -> None:
    """The backend is asked, and offers these; `others` by kind of feature."""
    found = [found_of("tool", each) for each in tools] + [found_of(kind, each) for kind, each in others.items()]
    keep(backend, [each for each in found if each])


def keep(backend: Backend, found: list[Found]) -> None:
    """The same with what is found."""
    look = Look(McpFacts("2026-07-28", CAPABILITIES), "weather", "1", tuple(found))
    keep_look(backend=backend.name, look=look, at=timezone.now())


def definition(name: str = "forecast", **lookups: Any) -> Definition:
    """What is stored of it."""
    return Definition.objects.get(name=name, **lookups)


def server(path: str = "/mcp/weather") -> ServerPlan:
    """The server as the data plane has it now."""
    return build(revision=1).servers[path]


def listed(path: str = "/mcp/weather", feature: str = "tool") -> list[str]:
    """Names of what it has."""
    return list(server(path).features.get(feature, {}))
