"""Give and take API keys."""

import secrets

from django.db import transaction
from django.utils import timezone

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.api_keys.verify import checksum
from oauth_provider.revisions.bump import bump

PREFIX = "gh_key_"


@transaction.atomic
def create_api_key(*, name: str, scopes: str, actor: UserRef | None, key: str = "") -> str:
    """Create the API key `name` with the space-separated `scopes` and return it: the only time anyone sees it.

    Args:
        key: a value the deployment chose; random when empty. An existing `name` takes the new value.
    """
    value = key or PREFIX + secrets.token_urlsafe(32)
    row, created = ApiKey.objects.update_or_create(
        name=name, defaults={"checksum": checksum(value), "scopes": scopes, "revoked_at": None}
    )
    record(
        kind=Kind.ADMIN_OBJECT_ADDED if created else Kind.ADMIN_OBJECT_CHANGED,
        actor=actor,
        target=f"api_key:{row.pk}",
        fields=("checksum", "scopes"),
    )
    bump("revocation")
    return value


@transaction.atomic
def revoke_api_key(*, api_key: ApiKey, actor: UserRef | None, reason: str) -> None:
    """Refuse the key from now on."""
    if not ApiKey.objects.filter(pk=api_key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        return
    record(
        kind=Kind.ADMIN_OBJECT_CHANGED,
        actor=actor,
        target=f"api_key:{api_key.pk}",
        fields=("revoked_at",),
        note=reason[:500],
    )
    bump("revocation")
