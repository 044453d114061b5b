"""Record what staff change: the verb every admin page calls inside its own transaction."""

from collections.abc import Iterable
from typing import Required, TypedDict, Unpack
from uuid import UUID

from django.db.models import Model

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record


class Change(TypedDict, total=False):
    """What the event of a change says beside its kind.

    `actor` is the member of staff, None at start and from a shell; `target` says what, such as `client:abc` or
    `backend:careers`; `note` the reason given, cut at 500 characters, and `reason` a slug when no person is behind it;
    `user` whom it concerns, if anybody.
    """

    actor: Required[UserRef | None]
    target: Required[str]
    note: str
    reason: str
    user: UserRef | None
    client_id: str
    connection: str
    backend: str
    operation: str
    scopes_required: str


def kind_of_save(row: Model) -> Kind:
    """What the event of saving `row` is called; asked before it is saved."""
    return Kind.ADMIN_OBJECT_ADDED if row._state.adding else Kind.ADMIN_OBJECT_CHANGED  # noqa: SLF001 - Django's only name for it


def save_checked(row: Model) -> Kind:
    """Check and save `row`, and say what the event of it is called.

    Raises:
        ValidationError: by field.
    """
    kind = kind_of_save(row)
    row.full_clean()
    row.save()
    return kind


def record_admin_change(*, kind: Kind, fields: Iterable[str] = (), **change: Unpack[Change]) -> UUID:
    """One staff change as an event; `fields` are the names of the changed fields, never their values.

    Raises django.db.Error, and then the change must not be committed either.
    """
    return record(kind=kind, fields=tuple(sorted(set(fields))), **change)
