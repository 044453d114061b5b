"""What the ledger is told of an operation that was made or changed."""

from collections.abc import Iterable

from audit.ledger.events import Draft, UserRef
from audit.ledger.kinds import Kind
from proxy.catalogue.models import Operation


def operation_event(
    kind: Kind, operation: Operation, *, actor: UserRef | None, fields: Iterable[str], reason: str, note: str
) -> Draft:
    """Its event; `fields` are the names of what changed, `reason` a slug when no person is behind it."""
    return Draft(
        kind=kind,
        actor=actor,
        target=f"operation:{operation.backend.name}/{operation.operation_id}",
        backend=operation.backend.name,
        operation=operation.operation_id,
        scopes_required=operation.needs,
        fields=tuple(sorted(set(fields))),
        reason=reason,
        note=note,
    )
