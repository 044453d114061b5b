"""Carry out what the provider says of a person, in the order in which it said it."""

from collections.abc import Callable, Mapping

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import User

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.identities.deactivate import start_again, stop
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.models import Identity, Stopped
from oauth_provider.identities.provider.people import follow_email
from oauth_provider.webhooks.identity.message import Message


def act_on(message: Message) -> None:
    """Inside the caller's transaction; the person's row stays locked until it ends.

    A kind this server does not know, and a person it does not know, are one event and nothing else.
    """
    act = _ACTS.get(message.kind)
    user = _person(message.subject) if act else None
    if act is None or user is None:
        _ignored(message, "unknown_kind" if act is None else "unknown_person")
        return
    identity = Identity.objects.select_for_update().get(user=user)
    if identity.stopped == Stopped.DELETED or _is_late(message, identity):
        _ignored(message, "already_deleted" if identity.stopped == Stopped.DELETED else "older_than_the_last", user)
        return
    if message.said_at is not None:
        identity.provider_said_at = message.said_at
        identity.save(update_fields=["provider_said_at"])
    act(user, message)
    record(
        kind=Kind.WEBHOOK_MESSAGE_TAKEN,
        user=user_ref(user),
        target="webhook:identity",
        reason=message.kind.replace(".", "_")[:64],
    )


def _person(subject: str) -> User | None:
    # The one linked to the subject; else the one whose backends know them by it
    link = SocialAccount.objects.filter(provider=settings.SIGN_IN_ISSUER, uid=subject).values_list("user_id").first()
    found = link or Identity.objects.filter(external_id=subject).values_list("user_id").first()
    if found is None:
        return None
    user = User.objects.select_for_update().get(pk=found[0])
    # Whoever was linked before anything was done for them has none yet
    user_ref(user)
    return user


def _is_late(message: Message, identity: Identity) -> bool:
    # What it said later counts already; a deletion is never late
    last = identity.provider_said_at
    return message.kind != "user.deleted" and None not in (message.said_at, last) and message.said_at < last  # type: ignore[operator]


def _deleted(user: User, message: Message) -> None:
    del message
    _end_connections(user, "The account was deleted at the identity provider.")
    stop(user, state=Stopped.DELETED)


def _banned(user: User, message: Message) -> None:
    del message
    _end_connections(user, "The account was blocked at the identity provider.")
    stop(user, state=Stopped.BANNED)


def _unbanned(user: User, message: Message) -> None:
    del message
    start_again(user)


def _updated(user: User, message: Message) -> None:
    follow_email(user, email=message.email, is_verified=message.is_email_verified)
    if message.is_stopped is True:
        _banned(user, message)
    elif message.is_stopped is False:
        _unbanned(user, message)


_ACTS: Mapping[str, Callable[[User, Message], None]] = {
    "user.deleted": _deleted,
    "user.banned": _banned,
    "user.locked": _banned,
    "user.suspended": _banned,
    "user.unbanned": _unbanned,
    "user.unlocked": _unbanned,
    "user.updated": _updated,
}


def _end_connections(user: User, reason: str) -> None:
    for connection in Connection.objects.filter(user=user, revoked_at=None).order_by("pk"):
        revoke_connection(connection=connection, actor=None, by="provider", reason=reason)


def _ignored(message: Message, reason: str, user: User | None = None) -> None:
    known = message.kind if message.kind in _ACTS else ""
    record(
        kind=Kind.WEBHOOK_MESSAGE_IGNORED,
        decision=Decision.DENY,
        reason=reason,
        user=user_ref(user) if user else None,
        target=f"webhook:identity {known}".strip(),
    )
