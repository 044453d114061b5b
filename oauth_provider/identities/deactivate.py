"""Stop everything that acts for a person, and let it go on."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.models import Identity, Stopped
from oauth_provider.revisions.bump import bump
from oauth_provider.staff_tokens.models import StaffToken


def deactivate_user(*, user: User, actor: UserRef, reason: str) -> None:
    """Refuse the person's sign-ins, and every call of every client that acts for them, at once.

    What they gave stays, for `reactivate_user`.
    """
    _set_active(user, is_active=False, actor=actor, reason=reason)


def reactivate_user(*, user: User, actor: UserRef, reason: str) -> None:
    """Let a deactivated person, and what acts for them, go on."""
    _set_active(user, is_active=True, actor=actor, reason=reason)


def stop(user: User, *, state: Stopped) -> None:
    """The identity provider says that the person is gone or blocked: nobody is signed in as them any more.

    The caller holds the rows of `user` and its identity. A session that is open now stays over when they come back.
    """
    Identity.objects.filter(user=user).update(stopped=state)
    StaffToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())
    if state == Stopped.DELETED or not user.has_usable_password():
        # Sessions carry a digest of it
        user.set_unusable_password()
        user.save(update_fields=["password"])
    _set_active(user, is_active=False, actor=None, reason=str(state))


def start_again(user: User) -> None:
    """The identity provider lets the person in again; one whom staff deactivated stays out."""
    if Identity.objects.filter(user=user, stopped=Stopped.BANNED).update(stopped=Stopped.NOT):
        _set_active(user, is_active=True, actor=None, reason="unbanned")


@transaction.atomic
def _set_active(user: User, *, is_active: bool, actor: UserRef | None, reason: str) -> None:
    if not User.objects.filter(pk=user.pk, is_active=not is_active).update(is_active=is_active):
        return
    user.is_active = is_active
    if is_active:
        Identity.objects.filter(user=user).update(stopped=Stopped.NOT)
    record(
        kind=Kind.ADMIN_OBJECT_CHANGED if actor else Kind.ACCOUNT_IDENTITY_CHANGED,
        actor=actor,
        target="user",
        user=user_ref(user),
        fields=("is_active",),
        note=reason,
    )
    bump("revocation")
