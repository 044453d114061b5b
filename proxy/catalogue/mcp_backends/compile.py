"""The features of MCP backends in a snapshot: each backend's own server, and what /mcp has of all of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.db.models import F

from proxy.catalogue.mcp_backends.content import NAMED_BY, parsed
from proxy.catalogue.mcp_backends.features import ALL, RESOURCE, RESOURCE_TEMPLATE, TOOL, opening
from proxy.catalogue.mcp_backends.models import Definition, McpBackend
from proxy.catalogue.plans import (
    MCP_PATH,
    METADATA_PATH,
    BackendPlan,
    FeaturePlan,
    McpFacts,
    OperationPlan,
    ServerPlan,
)
from proxy.catalogue.servers.compile import chosen_by_server
from proxy.catalogue.tools import JsonObject

Operations = Mapping[tuple[str, str], OperationPlan | None]
Features = dict[str, dict[str, FeaturePlan]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A backend of kind mcp with its operations, by the feature and name they open; None for one that is disabled."""

    backend_id: int
    plan: BackendPlan
    operations: Operations = field(repr=False)


def read_facts(rows: Iterable[Mapping[str, Any]]) -> dict[int, McpFacts]:
    """What those of `rows`, the rows of backends, said of themselves that are of kind mcp, by their id."""
    wanted = [row["id"] for row in rows if row["kind"] == "mcp"]
    found = McpBackend.objects.filter(backend_id__in=wanted) if wanted else ()
    return {each.backend_id: each.facts for each in found if each.facts is not None}


def with_features(servers: Mapping[str, ServerPlan], opened: Sequence[Opened]) -> dict[str, ServerPlan]:
    """`servers` with one for each MCP backend; /mcp has the features of all of them, others what was chosen."""
    definitions = _approved([each.backend_id for each in opened])
    found = dict(servers)
    # The backend that was registered first has a URI that several have
    everything: list[tuple[str, FeaturePlan]] = []
    for each in sorted(opened, key=lambda each: each.backend_id):
        plans = list(_plans(each, definitions[each.backend_id]))
        found[each.plan.prefix] = _own_server(each.plan, [plan for _exposed, plan in plans])
        everything += [(exposed, plan) for exposed, plan in plans if exposed]
    taken = {TOOL: found[MCP_PATH].tools.keys(), RESOURCE: found[MCP_PATH].own_resources.keys()}
    free = [_renamed(plan, exposed) for exposed, plan in everything if exposed not in taken.get(plan.feature, ())]
    found[MCP_PATH] = _with(found[MCP_PATH], free)
    for path, chosen in (chosen_by_server() if opened else {}).items():
        if path in servers:
            found[path] = _with(found[path], [plan for plan in free if _place(plan) in chosen])
    closed = _closed_uris(opened)
    return {path: replace(plan, closed_uris=closed) for path, plan in found.items()} if closed else found


def _closed_uris(opened: Iterable[Opened]) -> frozenset[tuple[str, str]]:
    """The resources with a definition or an operation of their own: no template opens one.

    Else it would open what staff disabled or refused, what changed since they read it, and what they never read.
    """
    names = {each.backend_id: each.plan.name for each in opened}
    found = {
        (each.plan.name, unquote(uri))
        for each in opened
        for feature, uri in each.operations
        if feature == RESOURCE and uri != ALL
    }
    rows = Definition.objects.filter(backend_id__in=names, feature=RESOURCE) if names else Definition.objects.none()
    # Of what is gone those that were refused: by leaving its list a resource does not get back in
    listed = rows.exclude(seen_digest="", refused_digest="").values_list("backend_id", "name")
    return frozenset(found.union((names[backend_id], unquote(uri)) for backend_id, uri in listed))


def _place(plan: FeaturePlan) -> tuple[str, str]:
    return plan.backend, plan.operation.operation_id


def _approved(backend_ids: list[int]) -> "defaultdict[int, list[tuple[str, str, str, str]]]":
    found: defaultdict[int, list[tuple[str, str, str, str]]] = defaultdict(list)
    if backend_ids:
        rows = Definition.objects.filter(backend_id__in=backend_ids, approved_digest=F("seen_digest"), fault="")
        for backend_id, *facts in rows.exclude(seen_digest="").values_list(
            "backend_id", "feature", "name", "exposed_name", "approved"
        ):
            found[backend_id].append((facts[0], facts[1], facts[2], facts[3]))
    return found


def _plans(
    opened: Opened, definitions: Iterable[tuple[str, str, str, str]]
) -> Iterable[tuple[str, FeaturePlan]]:  # fmt: skip
    for feature, name, exposed, text in definitions:
        place = opening(opened.operations, (feature, name))
        operation = opened.operations[place] if place else None
        if operation is not None:
            definition = _definition(feature, name, parsed(text), operation)
            yield (
                exposed or _own_name(feature, name),
                FeaturePlan(feature, name, name, definition, operation, opened.plan.name),
            )


def _own_name(feature: str, name: str) -> str:
    # A tool or prompt without a free name is at its backend's own server alone
    return "" if NAMED_BY[feature] == "name" else name


def _definition(feature: str, name: str, content: JsonObject, operation: OperationPlan) -> JsonObject:
    shown = {NAMED_BY[feature]: name} | content
    if feature != TOOL:
        return shown
    security = [{"type": "oauth2", "scopes": scopes} for scopes in operation.enough_scopes]
    return shown | {"securitySchemes": security, "_meta": content.get("_meta", {}) | {"securitySchemes": security}}


def _renamed(plan: FeaturePlan, name: str) -> FeaturePlan:
    if name == plan.name:
        return plan
    return replace(plan, name=name, definition=plan.definition | {NAMED_BY[plan.feature]: name})


def _own_server(backend: BackendPlan, plans: list[FeaturePlan]) -> ServerPlan:
    issuer = settings.PUBLIC_BASE_URL
    empty = ServerPlan(
        path=backend.prefix,
        title=backend.title,
        instructions="",
        tools={},
        resource=f"{issuer}{backend.prefix}",
        resource_metadata=f"{issuer}{METADATA_PATH}{backend.prefix}",
        scopes=(),
        backend=backend.name,
    )
    return _with(empty, plans)


def _with(server: ServerPlan, plans: Iterable[FeaturePlan]) -> ServerPlan:
    features: Features = {}
    for plan in plans:
        features.setdefault(plan.feature, {}).setdefault(plan.name, plan)
    # Of templates that one URI fits, that of the backend registered first counts
    ordered = {
        feature: found if feature == RESOURCE_TEMPLATE else dict(sorted(found.items()))
        for feature, found in features.items()
    }
    scopes = {scope for found in ordered.values() for plan in found.values() for scope in plan.operation.named_scopes}
    return replace(server, features=ordered, scopes=tuple(sorted(scopes | set(server.scopes))))
