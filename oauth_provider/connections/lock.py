"""The one lock of everything a person gave a client: the connection's row.

Whoever spends a code, rotates a refresh token or takes access away locks the connection first and looks again
afterwards. One lock in one order: no race between two redemptions, and no deadlock with a revocation.
"""

from uuid import UUID

from oauth_provider.connections.models import Connection


def lock_connection(connection_id: UUID) -> Connection | None:
    """The connection with its user, client and resource, locked until the caller's transaction ends; None if gone."""
    return (
        Connection.objects.select_for_update(of=("self",), no_key=True)
        .select_related("user", "client", "resource")
        .filter(pk=connection_id)
        .first()
    )
