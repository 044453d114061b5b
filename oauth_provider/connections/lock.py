"""The one lock of everything a person gave a client: the connection's row.

Whoever spends a code, rotates a refresh token or takes access away locks the connection first and looks again
afterwards. One lock in one order: no race between two redemptions, and no deadlock with a revocation.
"""

from typing import Any
from uuid import UUID

from oauth_provider.connections.models import Connection


def lock_connection(connection_id: UUID) -> Connection | None:
    """The connection with its user, client and resource, locked until the caller's transaction ends; None if gone."""
    return lock_connection_of(pk=connection_id)


def lock_connection_of(**found_by: Any) -> Connection | None:
    """As `lock_connection`, for whoever only knows what hangs on it; `found_by` are conditions of a queryset."""
    return (
        Connection.objects.select_for_update(of=("self",), no_key=True)
        .select_related("user__identity", "client", "resource")
        .filter(**found_by)
        .first()
    )
