"""Invitations (initial access tokens, RFC 7591 section 3): made by staff, spent by the programs they are given to."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.ledger.admin_log import record_admin_change
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.registration.credentials import INVITATION_PREFIX, MAX_TOKEN, digest, new_token
from oauth_provider.registration.errors import InvalidTokenError
from oauth_provider.registration.models import InitialAccessToken
from oauth_provider.revoke_row import revoke_row

MAX_INVITATION_DAYS = 365


@dataclass(frozen=True, slots=True)
class Invited:
    """The new invitation and its value: show it once, keep it nowhere."""

    invitation: InitialAccessToken
    value: str


@transaction.atomic
def create_invitation(*, name: str, max_uses: int, expires_at: datetime, actor: UserRef, note: str = "") -> Invited:
    """Make one that is good for `max_uses` registrations; `note` says why."""
    value = new_token(INVITATION_PREFIX)
    made = InitialAccessToken.objects.create(
        name=name, digest=digest(value), hint=value[-4:], max_uses=max_uses, expires_at=expires_at
    )
    record_admin_change(
        kind=Kind.ADMIN_OBJECT_ADDED,
        actor=actor,
        target=f"invitation:{made.pk}",
        fields=("max_uses", "expires_at"),
        note=note,
    )
    return Invited(made, value)


def revoke_invitation(*, invitation: InitialAccessToken, actor: UserRef, reason: str) -> None:
    """Refuse it from now on; what registered with it stays."""
    revoke_row(invitation, target=f"invitation:{invitation.pk}", actor=actor, reason=reason)


def find_invitation(token: str) -> InitialAccessToken | None:
    """The live one that `token` is, None for no token at all.

    Raises:
        InvalidTokenError: it is none, or no longer good.
    """
    if not token:
        return None
    usable = token.startswith(INVITATION_PREFIX) and len(token) <= MAX_TOKEN
    found = InitialAccessToken.objects.filter(digest=digest(token)).first() if usable else None
    if found is None or not found.is_live:
        raise InvalidTokenError("invalid_invitation", "The initial access token is unknown, expired or used up.")
    return found


def spend_invitation(invitation: InitialAccessToken) -> None:
    """Count one registration, inside the caller's transaction.

    Raises:
        InvalidTokenError: others used it up meanwhile.
    """
    left = InitialAccessToken.objects.filter(
        pk=invitation.pk, revoked_at=None, expires_at__gt=timezone.now(), uses__lt=F("max_uses")
    )
    if not left.update(uses=F("uses") + 1):
        raise InvalidTokenError("invalid_invitation", "The initial access token is unknown, expired or used up.")
