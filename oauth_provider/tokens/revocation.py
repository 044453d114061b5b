"""A client gives a token back (RFC 7009)."""

import hashlib

from django.db import transaction
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Client
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.identities.external_id import user_ref
from oauth_provider.revisions.bump import bump
from oauth_provider.tokens.families import kill_family
from oauth_provider.tokens.models import TokenFamily
from oauth_provider.tokens.verify import MAX_TOKEN


@transaction.atomic
def revoke_token(*, token: str, client: Client) -> bool:
    """Revoke `token` if it is the client's; anything else is none of its business and changes nothing.

    A refresh token, or the access token that goes with the live one, ends the whole family, and with the last
    family the connection. An access token of an earlier step ends alone, with what it was exchanged for: a client
    that tidies up stays connected. Returns whether something was revoked.
    """
    checksum = hashlib.sha256(token[:MAX_TOKEN].encode("utf-8", "surrogatepass")).hexdigest()
    family = _family_of(checksum, client)
    if family is not None:
        return _end_family(family, client)
    rows = get_access_token_model().objects.filter(token_checksum=checksum, application=client)
    if not rows.delete()[0]:
        return False
    record(kind=Kind.OAUTH_TOKEN_REVOKED, decision=Decision.ALLOW, client_id=client.client_id, token=checksum[:16])
    bump("revocation")
    return True


def _family_of(checksum: str, client: Client) -> TokenFamily | None:
    tokens = get_refresh_token_model().objects.filter(application=client)
    found = tokens.filter(token_checksum=checksum).first()
    if found is None:
        found = tokens.filter(access_token__token_checksum=checksum, revoked=None).first()
    return TokenFamily.objects.filter(pk=found.token_family).first() if found else None


def _end_family(family: TokenFamily, client: Client) -> bool:
    connection = kill_family(family.pk)
    if connection is None:
        return False
    record(
        kind=Kind.OAUTH_TOKEN_REVOKED,
        decision=Decision.ALLOW,
        user=user_ref(connection.user),
        client_id=client.client_id,
        connection=str(connection.pk),
        audience=connection.resource.identifier,
    )
    if not TokenFamily.objects.filter(connection=connection, revoked_at=None).exists():
        revoke_connection(connection=connection, actor=None, by="client", reason="The application disconnected itself.")
    return True
