"""Identity assertion: who calls, signed for one backend and one call (RFC 7515, ES256, 60 seconds)."""

import time
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from oauth_provider.keys.signing import LoadedKey

LIFETIME_S = 60
TYPE = "gateway-identity+jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What is asserted. `subject` is the user's external id, "" without a user; `body_digest` SHA-256 in base64url.

    `tenant` and `roles` are what an external issuer says of the user.
    """

    audience: str
    subject: str
    client_id: str
    scope: str
    request_id: str
    method: str
    url: str
    body_digest: str
    tenant: str = ""
    roles: tuple[str, ...] = ()


class Signer:
    """Signs as `issuer` with one key."""

    def __init__(self, *, issuer: str, key: LoadedKey) -> None:
        self._issuer = issuer
        self._header = {"alg": "ES256", "typ": TYPE, "kid": key.kid}
        self._key = ECKey.import_key(key.private)

    def sign(self, claims: Claims) -> str:
        """The compact JWT; a claim without a value is left out."""
        now = int(time.time())
        content: dict[str, Any] = {
            "iss": self._issuer,
            "aud": claims.audience,
            "iat": now,
            "exp": now + LIFETIME_S,
            "jti": claims.request_id,
            "htm": claims.method,
            "htu": claims.url,
            "client_id": claims.client_id,
            "scope": claims.scope,
        }
        if claims.subject:
            content["sub"] = claims.subject
        if claims.body_digest:
            content["bdh"] = claims.body_digest
        if claims.tenant:
            content["tenant"] = claims.tenant
        if claims.roles:
            content["roles"] = list(claims.roles)
        return jwt.encode(self._header, content, self._key, algorithms=["ES256"])
