"""The one lock of everything a person gave a client: the connection's row.

Whoever spends a code, rotates a refresh token or takes access away locks the connection first and looks again
afterwards. One lock in one order: no race between two redemptions, and no deadlock with a revocation.
"""

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from oauth_provider.connections.models import Connection

Hanging = TypeVar("Hanging", bound=Model)


def lock_connection(connection_id: UUID) -> Connection | None:
    """The connection with its user, client and resource, locked until the caller's transaction ends; None if gone."""
    rows = Connection.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("user__identity", "client", "resource").filter(pk=connection_id).first()


def locking_connection(rows: QuerySet[Hanging]) -> QuerySet[Hanging]:
    """`rows` that hang on a connection each, with that connection, its user and resource.

    Both are locked when they are read, the connection first. PostgreSQL reads what it locks anew when a rival had it
    before us, so that the row is what the rival left: one statement is as good as a look after the lock.
    """
    locked = rows.select_for_update(of=("connection", "self"), no_key=True)
    return locked.select_related("connection__user__identity", "connection__resource").order_by()
