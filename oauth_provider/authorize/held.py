"""The connection a request would renew: same person, client, resource and place of return."""

from django.contrib.auth.models import User

from oauth_provider.authorize.redirects import describe
from oauth_provider.clients.models import Client
from oauth_provider.connections.models import Connection
from oauth_provider.resources.models import Resource


def held_connection(*, user: User, client: Client, resource: Resource, redirect_uri: str) -> Connection | None:
    """Return it when it is live, that is neither revoked nor expired."""
    rows = Connection.objects.filter(
        user=user, client=client, resource=resource, redirect_host=describe(redirect_uri).host, revoked_at=None
    )
    connection = rows.first()
    return connection if connection and connection.is_live else None
