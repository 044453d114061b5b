"""Operations that open what an MCP backend offers: by the name of a tool or prompt, a resource's URI, or `*`."""

import re
from collections.abc import Container
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from proxy.catalogue.models import Backend, Operation

PREFIX: Final = "/mcp/"
ALL: Final = "*"
NAME_MAX: Final = 500
TOOL, PROMPT, RESOURCE, RESOURCE_TEMPLATE = "tool", "prompt", "resource", "resource_template"
# What an operation may name; templates count as resources
OPENABLE: Final = (TOOL, PROMPT, RESOURCE)
# 2025-11-25, server features, tools: names
_NAME: Final = re.compile(r"\A[A-Za-z0-9_.-]{1,128}\Z")
# A URI or a URI template (RFC 3986, RFC 6570), by its characters
_URI: Final = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,480}\Z")
_BACKEND_NAME: Final = re.compile(r"\A[a-z0-9][a-z0-9_-]*\Z")
OPENED_ALREADY: Final = gettext_lazy("Another operation of this backend opens this already.")
# What the backend itself says of its tools
_UPSTREAMS: Final = ("parameters", "request_schema", "request_type", "response_schema", "annotations")


def is_usable(feature: str, name: str) -> bool:
    """Whether `name` may be that of such a feature."""
    return bool((_NAME if feature in {TOOL, PROMPT} else _URI).match(name))


def opening(operations: Container[tuple[str, str]], definition: tuple[str, str]) -> tuple[str, str] | None:
    """Of `operations` the one that opens `definition`: the exact one before `*`; None when there is none."""
    feature, name = definition
    kind = RESOURCE if feature == RESOURCE_TEMPLATE else feature
    return next((each for each in ((kind, name), (kind, ALL)) if each in operations), None)


def feature_faults(operation: "Operation", *, kind: str) -> dict[str, list[str]]:
    """What the data plane could not run of an operation that opens a feature, or that should at an MCP backend."""
    if kind != "mcp":
        words = _("Only a backend of kind mcp has these.")
        return {"feature": [words]} if operation.feature or operation.feature_name else {}
    faults: dict[str, list[str]] = {}
    name = operation.feature_name
    if operation.feature not in OPENABLE:
        faults["feature"] = [_("At an MCP backend: a tool, a prompt or a resource.")]
    elif name != ALL and not is_usable(operation.feature, name):
        faults["feature_name"] = [_("The name that the backend has for it, the URI of a resource, or *.")]
    if operation.methods != ["POST"] or operation.path != "/":
        faults["path"] = [_("At an MCP backend operations have no path: leave it out.")]
    if operation.auth_mode not in {"", "oauth"}:
        faults["auth_mode"] = [_("Whoever calls an MCP backend signs in here.")]
    if operation.tool_name:
        faults["tool_name"] = [_("The tools of an MCP backend get their names by themselves.")]
    faults |= {name: [_("The backend itself says this.")] for name in _UPSTREAMS if getattr(operation, name)}
    return faults


def backend_faults(backend: "Backend") -> dict[str, list[str]]:
    """What keeps a backend of kind mcp from being a server at its own address."""
    faults: dict[str, list[str]] = {}
    if not _BACKEND_NAME.match(backend.name):
        faults["name"] = [_("Lower-case letters, digits, - and _.")]
    # By name: a layer above. Tokens of the one would open the other
    elif apps.get_model("proxy", "McpServer").objects.filter(name=backend.name).exists():
        faults["name"] = [_("An MCP server that staff put together has this address.")]
    if backend.prefix != PREFIX + backend.name:
        faults["prefix"] = [_("An MCP backend answers at /mcp/ and its name.")]
    if backend.auth_mode != "oauth":
        faults["auth_mode"] = [_("Whoever calls an MCP backend signs in here.")]
    return faults


def with_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a new operation that opens a feature, with what all of them have."""
    return {"methods": ["POST"], "path": "/"} | values
