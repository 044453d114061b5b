"""Give and take staff tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from audit.ledger.admin_log import record_admin_change
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.identities.external_id import user_ref
from oauth_provider.revoke_row import revoke_row
from oauth_provider.staff_tokens.models import StaffToken

PREFIX = "gh_st_"


@dataclass(frozen=True, slots=True)
class Made:
    """The new token and its value: show it once, keep it nowhere."""

    token: StaffToken
    value: str


def checksum(value: str) -> str:
    """What is stored for a token; a fast hash suffices for 256 random bits."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


@transaction.atomic
def create_staff_token(*, user: User, name: str, scopes: Iterable[str], expires_at: datetime) -> Made:
    """Give `user` a token called `name`; `scopes` are some of `STAFF_SCOPES`."""
    value = PREFIX + secrets.token_urlsafe(32)
    token = StaffToken.objects.create(
        user=user,
        name=name,
        checksum=checksum(value),
        hint=value[-4:],
        scopes=" ".join(sorted(scopes)),
        expires_at=expires_at,
    )
    record_admin_change(
        kind=Kind.ADMIN_OBJECT_ADDED,
        actor=user_ref(user),
        target=f"staff_token:{token.pk}",
        fields=("checksum", "scopes", "expires_at"),
    )
    return Made(token, value)


def revoke_staff_token(*, token: StaffToken, actor: UserRef, reason: str) -> None:
    """Refuse the token from now on."""
    revoke_row(token, target=f"staff_token:{token.pk}", actor=actor, reason=reason)
