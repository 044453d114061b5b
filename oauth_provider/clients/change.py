"""Change what staff decide about a client, and take away one that nobody uses any more."""

from collections.abc import Mapping

from django.apps import apps
from django.db import transaction
from django.utils.translation import gettext as _

from audit.ledger.admin_log import record_admin_change
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.clients.create import check_scopes
from oauth_provider.clients.models import Client
from oauth_provider.in_use import InUseError
from oauth_provider.revisions.bump import bump

# Seconds, from and to
ACCESS_TOKEN_LIFETIME_S = (60, 86_400)
REFRESH_TOKEN_LIFETIME_S = (3600, 365 * 86_400)


class ClientInUseError(InUseError):
    """People are connected to it."""


@transaction.atomic
def change_client(*, client: Client, values: Mapping[str, object], actor: UserRef, note: str = "") -> None:
    """Give `client` the `values`, by field of the model; `note` is the reason given.

    Raises:
        ValidationError: by field.
    """
    for name, value in values.items():
        setattr(client, name, value)
    check_scopes(tuple(client.scope_set) if "allowed_scopes" in values else ())
    if "allowed_scopes" in values:
        client.default_scopes = " ".join(sorted(set(client.default_scopes.split()) & client.scope_set))
    client.full_clean(exclude={"client_secret", "client_id"})
    client.save()
    record_admin_change(
        kind=Kind.ADMIN_OBJECT_CHANGED,
        actor=actor,
        target=f"client:{client.client_id}",
        client_id=client.client_id,
        fields=values,
        note=note,
    )
    bump("revocation")


@transaction.atomic
def remove_client(*, client: Client, actor: UserRef, note: str) -> None:
    """Delete `client` with its secrets, its tokens and its connections, which have all ended before.

    Raises:
        ClientInUseError: people are connected to it.
    """
    # By name: a layer above
    connections = apps.get_model("oauth_provider", "Connection")._default_manager
    if connections.filter(client=client.pk, revoked_at=None).exists():
        raise ClientInUseError(_("People are connected to it: revoke it first."))
    record_admin_change(
        kind=Kind.ADMIN_OBJECT_DELETED,
        actor=actor,
        target=f"client:{client.client_id}",
        client_id=client.client_id,
        note=note,
    )
    client.delete()
    bump("revocation")
