"""MCP servers behind this one: what staff approved of them, as the data plane knows it, and what they answer."""

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from proxy.catalogue.plans import FeaturePlan, OperationPlan, OwnResource, ServerPlan
from tests.proxy.plane import Road

BACKEND = "talk"
MEMBERS = {"tool": "name", "prompt": "name", "resource": "uri", "resource_template": "uriTemplate"}


def feature(kind: str, name: str, *, scopes: tuple[str, ...] = ("jobs:read",), **shown: Any) -> FeaturePlan:
    """A feature; `upstream` is its name at the backend, by default the same."""
    upstream_name = shown.pop("upstream", name)
    definition = {MEMBERS[kind]: name, **({"inputSchema": {"type": "object"}} if kind == "tool" else {}), **shown}
    operation = OperationPlan(
        operation_id=f"{BACKEND}-{upstream_name}",
        template=f"/mcp/{BACKEND}",
        auth_mode="oauth",
        scopes=scopes,
        scope_set=frozenset(scopes),
        max_request_bytes=1_048_576,
    )
    return FeaturePlan(
        feature=kind,
        name=name,
        upstream_name=upstream_name,
        definition=definition,
        operation=operation,
        backend=BACKEND,
    )


def by_kind(*features: FeaturePlan) -> Mapping[str, Mapping[str, FeaturePlan]]:
    """Features as a server holds them."""
    return {
        kind: MappingProxyType({each.name: each for each in sorted(features, key=_name) if each.feature == kind})
        for kind in MEMBERS
    }


def _name(plan: FeaturePlan) -> str:
    return plan.name


def own(uri: str) -> OwnResource:
    """A resource that the gateway keeps."""
    return OwnResource(uri, {"uri": uri, "name": uri}, {"uri": uri, "mimeType": "text/html", "text": "<p>ours</p>"})


def serve(road: Road, *features: FeaturePlan, path: str = "/mcp", **changes: Any) -> ServerPlan:
    """Put features into the catalogue of a running data plane."""
    watcher = road.plane.watcher
    server = replace(watcher.snapshot.servers["/mcp"], features=by_kind(*features), path=path, **changes)
    watcher.snapshot = replace(watcher.snapshot, servers={**watcher.snapshot.servers, path: server})
    return server


def as_bytes(document: object) -> bytes:
    """JSON as a server writes it."""
    return json.dumps(document).encode()
