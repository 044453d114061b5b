"""Identity assertion: who calls, signed for one backend and one call (RFC 7515, ES256, 60 seconds)."""

import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from json import JSONEncoder
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from oauth_provider.keys.signing import LoadedKey

LIFETIME_S = 60
TYPE = "gateway-identity+jwt"
# Bytes of either number of a signature with P-256 (RFC 7518 section 3.4)
NUMBER_BYTES: Final = 32
_ES256: Final = ECDSA(SHA256())
_json: Final = JSONEncoder(separators=(",", ":")).encode


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
    """Signs as `issuer` with one key: once for every call, so by hand, in a third of the time a JWT library takes."""

    def __init__(self, *, issuer: str, key: LoadedKey) -> None:
        self._issuer = issuer
        self._header = _base64url(_json({"alg": "ES256", "typ": TYPE, "kid": key.kid}).encode())
        self._key = key.private

    def sign(self, claims: Claims) -> str:
        """The compact JWT (RFC 7515 section 3.1); a claim without a value is left out."""
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
        signed = b"%b.%b" % (self._header, _base64url(_json(content).encode()))
        r, s = decode_dss_signature(self._key.sign(signed, _ES256))
        signature = r.to_bytes(NUMBER_BYTES, "big") + s.to_bytes(NUMBER_BYTES, "big")
        return (b"%b.%b" % (signed, _base64url(signature))).decode()


def _base64url(content: bytes) -> bytes:
    """RFC 7515 section 2: no padding."""
    return urlsafe_b64encode(content).rstrip(b"=")
