"""What a confidential client may learn about a token (RFC 7662): only its own, and nothing else but `false`."""

from typing import Any

from django.conf import settings

from oauth_provider.clients.models import Client
from oauth_provider.tokens.generators import REFRESH_TOKEN_PREFIX
from oauth_provider.tokens.grants import MAX_CREDENTIAL, lock_refresh_token
from oauth_provider.tokens.refusals import TokenRefusedError
from oauth_provider.tokens.verify import InvalidToken, verify_access_token

INACTIVE: dict[str, Any] = {"active": False}


def introspect(*, token: str, client: Client) -> dict[str, Any]:
    """The token's state if it was issued to `client` and is live, else `{"active": false}`.

    Must run in a transaction. The subject is the user's external id, the one backends know.
    """
    if token.startswith(REFRESH_TOKEN_PREFIX):
        return _refresh_token(token, client)
    try:
        verified = verify_access_token(token)
    except InvalidToken:
        return INACTIVE
    if verified.client_id != client.client_id:
        return INACTIVE
    answer = {
        "active": True,
        "iss": settings.PUBLIC_BASE_URL,
        "client_id": verified.client_id,
        "scope": " ".join(sorted(verified.scopes)),
        "exp": int(verified.expires_at),
        "aud": list(verified.resources),
        "token_type": "Bearer",
    }
    return answer | ({"sub": verified.user.external_id} if verified.user else {})


def _refresh_token(token: str, client: Client) -> dict[str, Any]:
    try:
        # Looking is not using: a rotated token is just inactive here, no family dies
        locked = lock_refresh_token(token=token[:MAX_CREDENTIAL], client=client)
    except TokenRefusedError:
        return INACTIVE
    return {
        "active": True,
        "iss": settings.PUBLIC_BASE_URL,
        "client_id": client.client_id,
        "scope": " ".join(locked.scopes),
        "aud": [locked.connection.resource.identifier],
    }
