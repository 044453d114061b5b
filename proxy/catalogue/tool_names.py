"""The name an operation has as a tool: given once, when it is made, so that clients find it again."""

import hashlib
from collections.abc import Container, Iterator

from proxy.catalogue.mcp_backends.models import Definition, Feature
from proxy.catalogue.models import Operation

MAX = 64
_DIGEST = 8


def candidates(operation: Operation) -> Iterator[str]:
    """Names for `operation`, the best first: its id, then with its backend, then with a digest of both."""
    yield operation.operation_id
    full = f"{operation.backend.name}_{operation.operation_id}"
    if len(full) <= MAX:
        yield full
    digest = hashlib.sha256(full.encode()).hexdigest()[:_DIGEST]
    yield f"{full[: MAX - _DIGEST - 1]}_{digest}"


def new_tool_name(operation: Operation, *, taken: Container[str | None]) -> str | None:
    """The first of its names that is free; None when not even the last one is: staff must then choose."""
    return next((name for name in candidates(operation) if name not in taken), None)


def taken_names(operation: Operation) -> set[str | None]:
    """Those of its names that other operations have, or tools of MCP backends."""
    names = list(candidates(operation))
    others = Operation.objects.filter(tool_name__in=names).exclude(pk=operation.pk)
    exposed = Definition.objects.filter(feature=Feature.TOOL, exposed_name__in=names)
    return {*others.values_list("tool_name", flat=True), *exposed.values_list("exposed_name", flat=True)}


def is_exposed(name: str | None) -> bool:
    """Whether a tool of an MCP backend has `name` already."""
    return bool(name) and Definition.objects.filter(feature=Feature.TOOL, exposed_name=name).exists()
