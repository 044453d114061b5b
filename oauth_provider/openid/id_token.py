"""ID tokens: what a client is told of a sign-in (OpenID Connect Core section 2), signed with the published keys.

They are made, answered and forgotten: none is stored or logged, and none opens anything. An access token is known by
its checksum, which an ID token has nowhere.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from oauth_provider.keys.signing import current_signing_key, jwks

# A client reads it at once; as a hint it is good for longer (Core section 3.1.2.1)
LIFETIME_S = 600
# Those of access tokens and identity assertions differ, so that none is taken for another (RFC 8725 section 3.11)
TYPE = "JWT"
MAX_HINT = 4096


class ForeignHintError(Exception):
    """The hint is no ID token of this server."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A person's sign-in: `subject` is the external id; `at` None when not known; `nonce` "" when none was sent."""

    subject: str
    at: datetime | None
    nonce: str = ""


def sign_id_token(sign_in: SignIn, *, client_id: str, access_token: str) -> str:
    """The ID token beside `access_token`. `azp` is left out, as for every token with one audience (Core section 2)."""
    key = current_signing_key()
    now = int(timezone.now().timestamp())
    claims: dict[str, Any] = {
        "iss": settings.PUBLIC_BASE_URL,
        "sub": sign_in.subject,
        "aud": client_id,
        "iat": now,
        "exp": now + LIFETIME_S,
        "at_hash": _half_hash(access_token),
    }
    if sign_in.at is not None:
        claims["auth_time"] = int(sign_in.at.timestamp())
    if sign_in.nonce:
        claims["nonce"] = sign_in.nonce
    header = {"alg": "ES256", "typ": TYPE, "kid": key.kid}
    return jwt.encode(header, claims, ECKey.import_key(key.private), algorithms=["ES256"])


def hinted_subject(hint: str) -> str:
    """Whom an ID token that a client sends as a hint is about; it may have expired (Core section 3.1.2.1).

    Raises:
        ForeignHintError: it was not issued here as an ID token, or its key verifies nothing any more.
    """
    if len(hint) > MAX_HINT:
        raise ForeignHintError
    try:
        token = jwt.decode(hint, KeySet.import_key_set(jwks()), algorithms=["ES256"])  # type: ignore[arg-type]  # a dict
    except (JoseError, ValueError, TypeError, RecursionError) as fault:
        # The last two: what the library makes of a header whose values are of other types
        raise ForeignHintError from fault
    claims = token.claims
    is_ours = token.header.get("typ") == TYPE and claims.get("iss") == settings.PUBLIC_BASE_URL
    if not is_ours or not isinstance(claims.get("sub"), str):
        raise ForeignHintError
    return str(claims["sub"])


def _half_hash(access_token: str) -> str:
    # Core section 3.1.3.6: the left half of SHA-256, the hash of ES256
    digest = hashlib.sha256(access_token.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
