"""Which definitions of a backend its operations open."""

from collections.abc import Iterable

from proxy.catalogue.mcp_backends.features import opening
from proxy.catalogue.mcp_backends.models import Definition, Feature
from proxy.catalogue.models import Backend, Operation


class Openings:
    """The operations of a backend, by what they open; one that is disabled keeps its place, and opens nothing."""

    def __init__(self, backend: Backend) -> None:
        rows: Iterable[Operation] = backend.operations.exclude(feature="")
        self._operations = {(row.feature, row.feature_name): row for row in rows}

    def of(self, definition: Definition) -> Operation | None:
        """The operation that opens `definition`; None: nobody may use it."""
        place = opening(self._operations, (definition.feature, definition.name))
        operation = self._operations[place] if place else None
        return operation if operation and operation.enabled else None


def elsewhere(definition: Definition) -> str:
    """The name of the backend that has the URI of a resource at /mcp, when it is another one; "" otherwise."""
    if definition.feature not in {Feature.RESOURCE, Feature.RESOURCE_TEMPLATE}:
        return ""
    first = (
        Definition.objects.filter(
            Definition.in_state("served"), feature=definition.feature, name=definition.name,
            backend__enabled=True, backend_id__lt=definition.backend_id,
        )
        .order_by("backend_id")
        .values_list("backend__name", flat=True)
        .first()
    )  # fmt: skip
    return first or ""
