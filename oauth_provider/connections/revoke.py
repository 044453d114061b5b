"""The one verb that ends a connection, whoever asks for it."""

from typing import Literal

from django.apps import apps
from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.connections.lock import lock_connection
from oauth_provider.connections.models import Connection
from oauth_provider.identities.external_id import user_ref
from oauth_provider.revisions.bump import bump

Revoker = Literal["user", "client", "staff", "provider"]


@transaction.atomic
def revoke_connection(*, connection: Connection, actor: UserRef | None, by: Revoker, reason: str) -> None:
    """End `connection`: its refresh and access tokens, pending codes and open authorization requests die with it.

    Args:
        actor: the member of staff who acts; None when the user or the client does.
        by: whose decision it was.
        reason: for the ledger and the user, at most 500 characters.

    A connection that is already revoked stays as it is, and no second event is written.
    """
    locked = lock_connection(connection.pk)
    if locked is None or locked.revoked_at is not None:
        return
    now = timezone.now()
    locked.revoked_at, locked.revoked_by, locked.revocation_reason = now, by, reason[:500]
    locked.save(update_fields=["revoked_at", "revoked_by", "revocation_reason"])
    kill_tokens(locked)
    _kill_pending(locked)
    record(
        kind=Kind.OAUTH_CONNECTION_REVOKED,
        user=user_ref(locked.user),
        actor=actor,
        client_id=locked.client.client_id,
        connection=str(locked.pk),
        scopes=locked.scopes,
        audience=locked.resource.identifier,
        target=f"connection:{locked.pk}",
        reason=f"by_{by}",
        note=reason[:500],
    )
    bump("revocation")


def kill_tokens(connection: Connection) -> None:
    """End every token that was issued for `connection`, whose lock the caller holds."""
    now = timezone.now()
    families = connection.families.all()
    get_refresh_token_model().objects.filter(token_family__in=families.values("pk"), revoked=None).update(
        revoked=now, updated=now
    )
    get_access_token_model().objects.filter(membership__family__in=families).delete()
    families.filter(revoked_at=None).update(revoked_at=now, sealed_pair="")


def _kill_pending(connection: Connection) -> None:
    codes = connection.codes.filter(redeemed_at=None)
    get_grant_model().objects.filter(code__in=list(codes.values_list("checksum", flat=True))).delete()
    codes.delete()
    # By name: devices and the authorization request are layers above
    apps.get_model("oauth_provider", "DeviceCode").objects.filter(connection=connection.pk, redeemed_at=None).delete()
    interactions = apps.get_model("oauth_provider", "Interaction")
    interactions.objects.filter(user=connection.user_id, client=connection.client_id, decided_at=None).delete()
