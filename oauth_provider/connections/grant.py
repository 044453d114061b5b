"""The verb that makes or renews a connection when a person allows a client to act for them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from oauth_provider.clients.models import Client
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import kill_tokens
from oauth_provider.resources.models import Resource
from oauth_provider.revisions.bump import bump


def grant_connection(
    *,
    user: User,
    client: Client,
    resource: Resource,
    redirect_host: str,
    scopes: Iterable[str],
    shown_digest: str,
    shown_locale: str,
    expires_at: datetime | None = None,
) -> Connection:
    """Return the person's live connection for this client, resource and return host, holding exactly ``scopes``.

    Approving again replaces what was given before: a permission left out this time is taken back from
    the tokens already issued. ``shown_digest`` is the hex SHA-256 of the words on the page; ``expires_at`` is when the
    connection ends by itself, if it does. One that had ended is given anew: its old tokens stay dead.
    """
    given = {
        "scopes": " ".join(sorted(set(scopes))),
        "shown_digest": shown_digest,
        "shown_locale": shown_locale,
        "expires_at": expires_at,
    }
    with transaction.atomic():
        connection, created = Connection.objects.select_for_update(of=("self",)).get_or_create(
            user=user, client=client, resource=resource, redirect_host=redirect_host, revoked_at=None, defaults=given
        )
        if not created:
            _give_anew(connection, given)
    return connection


def _give_anew(connection: Connection, given: dict[str, Any]) -> None:
    if not connection.is_live:
        kill_tokens(connection)
    before = connection.scope_set
    for name, value in given.items():
        setattr(connection, name, value)
    connection.save(update_fields=[*given])
    if not before <= connection.scope_set:
        # Cached principals still carry the permission that was just taken back.
        bump("revocation")
