"""Record an event of the control plane: with the change it tells of, or not at all."""

from collections.abc import Sequence
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from audit.ledger.events import Draft, UserRef
from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.rows import insert, resolve, row_of, users_of


class EventFields(TypedDict, total=False):
    """The fields of a Draft that callers fill; see there for units."""

    phase: Phase
    decision: Decision
    reason: str
    user: UserRef | None
    actor: UserRef | None
    client_id: str
    connection: str
    backend: str
    operation: str
    method: str
    path: str
    status: int | None
    upstream_status: int | None
    latency_us: int | None
    upstream_latency_us: int | None
    request_bytes: int | None
    response_bytes: int | None
    retries: int | None
    scopes: str
    scopes_required: str
    audience: str
    token: str
    target: str
    fields: tuple[str, ...]
    note: str
    request_id: str
    address: str


def record(*, kind: Kind, **fields: Unpack[EventFields]) -> UUID:
    """Insert one event through the default connection, inside the caller's transaction if there is one.

    The request id and the network come from the current origin. Returns the event's id.
    Raises django.db.Error when it cannot be written; the caller's change must then not happen either.
    """
    draft = Draft(kind=kind, **fields)
    record_all([draft])
    return draft.id


def record_all(drafts: Sequence[Draft]) -> None:
    """The same for events of one change, in one statement. Raises django.db.Error."""
    # Without a savepoint: nobody goes on with a change whose event could not be written
    with transaction.atomic(using=DEFAULT_DB_ALIAS, savepoint=False):
        pseudonyms = resolve(DEFAULT_DB_ALIAS, users_of(drafts))
        insert(connections[DEFAULT_DB_ALIAS], [row_of(draft, pseudonyms) for draft in drafts])
