"""What a confidential client may learn about a token (RFC 7662).

It may ask about its own, which it holds anyway, and about access tokens for an API it serves. All others are inactive.
"""

from typing import Any

from django.conf import settings

from oauth_provider.clients.models import Client
from oauth_provider.identities.external_id import user_ref
from oauth_provider.tokens.generators import REFRESH_TOKEN_PREFIX
from oauth_provider.tokens.grants import MAX_CREDENTIAL, lock_refresh_token
from oauth_provider.tokens.refusals import TokenRefusedError
from oauth_provider.tokens.signed import nested_actors
from oauth_provider.tokens.verify import InvalidToken, VerifiedToken, verify_access_token

INACTIVE: dict[str, Any] = {"active": False}


def introspect(*, token: str, client: Client) -> dict[str, Any]:
    """The token's state if it is live and `client` may know of it, else `{"active": false}`.

    Must run in a transaction. The subject is the user's external id, the one backends know.
    """
    if token.startswith(REFRESH_TOKEN_PREFIX):
        return _refresh_token(token, client)
    try:
        verified = verify_access_token(token)
    except InvalidToken:
        return INACTIVE
    if verified.client_id != client.client_id and not _serves(client, verified.resources):
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


def _refresh_token(token: str, client: Client) -> dict[str, Any]:
    try:
        # Looking is not using: no family dies of it
        locked = lock_refresh_token(token=token[:MAX_CREDENTIAL], client=client)
    except TokenRefusedError:
        return INACTIVE
    if locked.repeated is not None:
        # Rotated a moment ago: a repeated request would be answered, but the token is used up
        return INACTIVE
    return {
        "active": True,
        "iss": settings.PUBLIC_BASE_URL,
        "sub": user_ref(locked.connection.user).external_id,
        "client_id": client.client_id,
        "scope": " ".join(locked.scopes),
        "aud": [locked.connection.resource.identifier],
        "iat": int(locked.token.created.timestamp()),
        "exp": int(locked.ends_at.timestamp()),
    }
