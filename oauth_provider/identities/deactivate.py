"""Stop everything that acts for a person, and let it go on."""

from django.contrib.auth.models import User
from django.db import transaction

from audit.ledger.admin_log import record_admin_change
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.identities.external_id import user_ref
from oauth_provider.revisions.bump import bump


def deactivate_user(*, user: User, actor: UserRef, reason: str) -> None:
    """Refuse the person's sign-ins, and every call of every client that acts for them, at once.

    What they gave stays, for `reactivate_user`.
    """
    _set_active(user, is_active=False, actor=actor, reason=reason)


def reactivate_user(*, user: User, actor: UserRef, reason: str) -> None:
    """Let a deactivated person, and what acts for them, go on."""
    _set_active(user, is_active=True, actor=actor, reason=reason)


@transaction.atomic
def _set_active(user: User, *, is_active: bool, actor: UserRef, reason: str) -> None:
    if not User.objects.filter(pk=user.pk, is_active=not is_active).update(is_active=is_active):
        return
    user.is_active = is_active
    record_admin_change(
        kind=Kind.ADMIN_OBJECT_CHANGED,
        actor=actor,
        target="user",
        user=user_ref(user),
        fields=("is_active",),
        note=reason,
    )
    bump("revocation")
