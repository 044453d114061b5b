"""Access tokens that say for whom and for what they are (RFC 9068): ES256, with the published keys.

They are looked up like opaque ones at every use, so that what is revoked is revoked at once; the signature is
for APIs that want to read them.
"""

import secrets
from collections.abc import Sequence
from functools import reduce
from typing import Any

from django.conf import settings
from joserfc import jwt
from joserfc.jwk import ECKey

from oauth_provider.keys.signing import current_signing_key
from oauth_provider.tokens.grounds import Grounds

TYPE = "at+jwt"
# What a JSON object looks like in base64url
JWT_PREFIX = "eyJ"


def sign_access_token(grounds: Grounds, *, client_id: str, scopes: Sequence[str]) -> str:
    """A signed access token (section 2.2), with the clients it went through as actors (RFC 8693 section 4.1)."""
    key = current_signing_key()
    claims: dict[str, Any] = {
        "iss": settings.PUBLIC_BASE_URL,
        "aud": grounds.audience,
        "sub": grounds.subject,
        "client_id": client_id,
        "scope": " ".join(scopes),
        "iat": int(grounds.issued_at.timestamp()),
        "exp": int(grounds.expires_at.timestamp()),
        "jti": secrets.token_urlsafe(16),
    }
    if grounds.actors:
        claims["act"] = nested_actors((*grounds.actors, client_id))
    header = {"alg": "ES256", "typ": TYPE, "kid": key.kid}
    return jwt.encode(header, claims, ECKey.import_key(key.private), algorithms=["ES256"])


def nested_actors(clients: Sequence[str]) -> dict[str, Any]:
    """The clients as an `act` claim: the one that acts now outside, the first one innermost (RFC 8693 section 4.1)."""
    empty: dict[str, Any] = {}
    return reduce(lambda inner, client: {"sub": client} | ({"act": inner} if inner else {}), clients, empty)
