"""What a resource server may learn about a token (RFC 7662): access tokens for an API it serves, and no others.

Whose token it is does not matter: a client holds its own anyway and needs no answer about it. Refresh tokens are
between a client and this server, so nobody is told about them.
"""

from typing import Any

from django.conf import settings

from oauth_provider.clients.models import Client
from oauth_provider.tokens.signed import nested_actors
from oauth_provider.tokens.verify import InvalidToken, VerifiedToken, verify_access_token

INACTIVE: dict[str, Any] = {"active": False}


def introspect(*, token: str, client: Client) -> dict[str, Any]:
    """The token's state if it is live and good for an API that `client` serves, else `{"active": false}`.

    The subject is the user's external id, the one backends know.
    """
    try:
        verified = verify_access_token(token)
    except InvalidToken:
        return INACTIVE
    if not _serves(client, verified.resources):
        return INACTIVE
    answer = {
        "active": True,
        "iss": settings.PUBLIC_BASE_URL,
        "sub": verified.user.external_id if verified.user else verified.clients[0],
        "client_id": verified.client_id,
        "scope": " ".join(sorted(verified.scopes)),
        "aud": list(verified.resources),
        "iat": int(verified.issued_at),
        "exp": int(verified.expires_at),
        "token_type": "Bearer",
    }
    return answer | _actors(verified)


def _serves(client: Client, audience: tuple[str, ...]) -> bool:
    return any(resource.identifier in audience for resource in client.introspects.all())


def _actors(verified: VerifiedToken) -> dict[str, Any]:
    # RFC 8693 section 4.1, of exchanged tokens only
    return {"act": nested_actors(verified.clients)} if len(verified.clients) > 1 else {}
