"""Record what staff change: the verb every admin page calls inside its own transaction."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Model

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record


def kind_of_save(row: Model) -> Kind:
    """What the event of saving `row` is called; asked before it is saved."""
    return Kind.ADMIN_OBJECT_ADDED if row._state.adding else Kind.ADMIN_OBJECT_CHANGED  # noqa: SLF001 - Django's only name for it


def record_admin_change(
    *,
    kind: Kind,
    actor: UserRef | None,
    target: str,
    fields: Iterable[str] = (),
    note: str = "",
    user: UserRef | None = None,
    client_id: str = "",
    connection: str = "",
    backend: str = "",
) -> UUID:
    """One staff change as an event.

    `actor` is the member of staff, None from a shell; `target` says what, such as `client:abc` or `backend:careers`;
    `fields` are the names of the changed fields (never their values); `note` the reason given, cut at 500 characters;
    `user` whom it concerns, if anybody. Raises django.db.Error, and then the change must not be committed either.
    """
    return record(
        kind=kind,
        actor=actor,
        target=target,
        fields=tuple(sorted(set(fields))),
        note=note,
        user=user,
        client_id=client_id,
        connection=connection,
        backend=backend,
    )
