"""Give and take API keys."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.ledger.admin_log import record_admin_change
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.api_keys.verify import checksum
from oauth_provider.revisions.bump import bump
from oauth_provider.revoke_row import revoke_row

PREFIX = "gh_key_"


@transaction.atomic
def create_api_key(
    *,
    name: str,
    scopes: str,
    actor: UserRef | None,
    key: str = "",
    expires_at: datetime | None = None,
    note: str = "",
) -> str:
    """Create the API key `name` with the space-separated `scopes` and return it: the only time anyone sees it.

    Args:
        key: a value the deployment chose; random when empty. An existing `name` takes the new value.
        expires_at: None means never.
        note: the reason a person gave.
    """
    value = key or PREFIX + secrets.token_urlsafe(32)
    row, created = ApiKey.objects.update_or_create(
        name=name,
        defaults={"checksum": checksum(value), "scopes": scopes, "expires_at": expires_at, "revoked_at": None},
    )
    record(
        kind=Kind.ADMIN_OBJECT_ADDED if created else Kind.ADMIN_OBJECT_CHANGED,
        actor=actor,
        target=f"api_key:{row.pk}",
        fields=("checksum", "scopes"),
        note=note,
    )
    bump("revocation")
    return value


@transaction.atomic
def change_api_key(*, api_key: ApiKey, values: Mapping[str, Any], actor: UserRef, note: str) -> None:
    """Give the key another name, other scopes or another end: those of its fields that `values` names.

    Raises:
        ValidationError: by field.
    """
    for name, value in values.items():
        setattr(api_key, name, value)
    api_key.full_clean()
    api_key.save(update_fields=list(values))
    record_admin_change(
        kind=Kind.ADMIN_OBJECT_CHANGED, actor=actor, target=f"api_key:{api_key.pk}", fields=values, note=note
    )
    bump("revocation")


@transaction.atomic
def revoke_api_key(*, api_key: ApiKey, actor: UserRef | None, reason: str) -> None:
    """Refuse the key from now on."""
    if revoke_row(api_key, target=f"api_key:{api_key.pk}", actor=actor, reason=reason):
        bump("revocation")
