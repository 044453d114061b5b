"""Connections that outlived what protected them: of a client that changed what it says of itself."""

from urllib.parse import urlsplit

from oauth_provider.clients.models import Client
from oauth_provider.connections.models import DEVICE_HOST, Connection
from oauth_provider.connections.revoke import revoke_connection

Proof = tuple[str, str, str]


def proof_of(client: Client) -> Proof:
    """How `client` proves itself, to be compared with how it did before."""
    return client.client_type, client.token_endpoint_auth_method, client.jwks_uri


def end_outlived(*, client: Client, before: Proof) -> None:
    """End those of a client that proves itself otherwise now, and those that return where it no longer does.

    As section 6.3.1 of draft-ietf-oauth-client-id-metadata-document-02 asks for documents; whoever holds a client's
    registration access token (RFC 7592) is no better known than whoever serves its document.
    """
    hosts = {DEVICE_HOST, *map(_place, client.redirect_uris.split())}
    live = Connection.objects.filter(client=client, revoked_at=None).order_by("pk")
    for connection in live if proof_of(client) != before else live.exclude(redirect_host__in=hosts):
        revoke_connection(
            connection=connection, actor=None, by="client", reason="The application changed how it is identified."
        )


def _place(uri: str) -> str:
    # As connections name where they return to
    parts = urlsplit(uri)
    return parts.hostname or "" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
