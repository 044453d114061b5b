"""Keep people as staff want them, and take one away."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from audit.ledger.admin_log import record_admin_change
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.identities.deactivate import deactivate_user, reactivate_user
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.models import Identity
from oauth_provider.identities.provider.link import link_subject
from oauth_provider.revisions.bump import bump


@transaction.atomic
def create_user(*, values: Mapping[str, Any], actor: UserRef, note: str = "") -> User:
    """A new person: `username`, and if given `email`, `password`, `external_id`, `subject`, `scopes`, `is_active`.

    Raises:
        ValidationError: by field.
    """
    user = User(username=values["username"], email=values.get("email", ""), is_active=values.get("is_active", True))
    _set_password(user, values.get("password"))
    user.full_clean(exclude={"password"})
    user.save()
    if external_id := values.get("external_id"):
        Identity.objects.create(user=user, external_id=external_id)
    if "subject" in values:
        link_subject(user=user, subject=values["subject"])
    if values.get("scopes") is not None:
        _set_ceiling(user, values["scopes"])
    record_admin_change(
        kind=Kind.ADMIN_OBJECT_ADDED, actor=actor, target="user", user=user_ref(user), fields=values, note=note
    )
    return user


@transaction.atomic
def change_user(*, user: User, values: Mapping[str, Any], actor: UserRef, note: str = "") -> None:
    """Give `user` those `values`; whether they are active is told by an event of its own.

    Raises:
        ValidationError: by field.
    """
    others = {name: value for name, value in values.items() if name != "is_active"}
    if others.get("email", user.email) != user.email:
        # Another address, about which nobody has proved anything yet
        Identity.objects.filter(user=user).update(email_verified=False)
    for name in others.keys() & {"username", "email"}:
        setattr(user, name, others[name])
    if "password" in others:
        _set_password(user, others["password"])
    if others:
        user.full_clean(exclude={"password"})
        user.save()
        if "external_id" in others:
            Identity.objects.update_or_create(user=user, defaults={"external_id": others["external_id"]})
        if "subject" in others:
            link_subject(user=user, subject=others["subject"])
        if "scopes" in others:
            _set_ceiling(user, others["scopes"])
        user = User.objects.get(pk=user.pk)
        record_admin_change(
            kind=Kind.ADMIN_OBJECT_CHANGED, actor=actor, target="user", user=user_ref(user), fields=others, note=note
        )
        bump("revocation")
    if "is_active" in values:
        switch = reactivate_user if values["is_active"] else deactivate_user
        switch(user=user, actor=actor, reason=note)


@transaction.atomic
def remove_user(*, user: User, actor: UserRef, note: str) -> None:
    """Delete `user`; what acts for them ends first, each connection with an event of its own."""
    for connection in Connection.objects.filter(user=user, revoked_at=None).order_by("pk"):
        revoke_connection(connection=connection, actor=actor, by="staff", reason=note)
    record_admin_change(kind=Kind.ADMIN_OBJECT_DELETED, actor=actor, target="user", user=user_ref(user), note=note)
    user.delete()
    bump("revocation")


def _set_password(user: User, password: str | None) -> None:
    if password:
        user.set_password(password)
    else:
        user.set_unusable_password()


def _set_ceiling(user: User, scopes: str | None) -> None:
    # One without an identity gets it first
    Identity.objects.filter(user=user_ref(user).user_id).update(grantable_scopes=scopes)
