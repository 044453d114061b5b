"""What MCP servers behind this one offer, as far as a caller may see it."""

from collections.abc import Sequence

from proxy.catalogue.plans import FeaturePlan
from proxy.entrypoints.mcp.caller import Caller

TOOL, PROMPT, RESOURCE, TEMPLATE = "tool", "prompt", "resource", "resource_template"


def shown(caller: Caller, kind: str) -> Sequence[FeaturePlan]:
    """The features of a kind whose permissions the caller's token has, in the server's order."""
    held = caller.held
    return [plan for plan in caller.server.features.get(kind, {}).values() if plan.operation.admits(held)]


def find(caller: Caller, kind: str, name: object) -> FeaturePlan | None:
    """The feature of that name, whether or not the caller may use it: that is for the call to say."""
    return caller.server.features.get(kind, {}).get(name) if isinstance(name, str) else None
