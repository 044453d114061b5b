"""End everything a client was given: the connections of every person, and its own tokens."""

from django.db import transaction
from oauth2_provider.models import get_access_token_model

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Client
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.revisions.bump import bump


@transaction.atomic
def revoke_client(*, client: Client, actor: UserRef, reason: str) -> int:
    """End every live connection of `client`, each an event of its own, and the tokens it has for itself.

    It stays registered and may be connected anew. Returns how many connections ended.
    """
    live = list(Connection.objects.filter(client=client, revoked_at=None).order_by("pk"))
    for connection in live:
        revoke_connection(connection=connection, actor=actor, by="staff", reason=reason)
    own, _each = get_access_token_model().objects.filter(application=client, user=None).delete()
    record(
        kind=Kind.OAUTH_TOKEN_REVOKED,
        actor=actor,
        client_id=client.client_id,
        target=f"client:{client.client_id}",
        reason="by_staff",
        note=reason[:500],
    )
    if own:
        bump("revocation")
    return len(live)
