"""A client's assertion as text: read strictly, before and after its signature is known (RFC 7519, RFC 7523)."""

import base64
import binascii
import math
import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from oauth_provider.strict_json import loads

ALGORITHMS = ("ES256", "RS256")
MAX_ASSERTION = 8192
MAX_VALUE = 255
# Seconds: how far ahead an assertion may end, and how far clocks may differ
LONGEST_S = 600
LEEWAY_S = 60
_COMPACT = re.compile(r"\A[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
# RFC 7515 section 4.1.9; the longer one is what RFC 7523bis asks for
_TYPES = frozenset({"jwt", "client-authentication+jwt"})


class BadAssertionError(Exception):
    """The assertion proves nothing; `reason` is the slug for the ledger."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Assertion:
    """What it claims, unverified: `kid` is "" when its header names no key."""

    text: str
    algorithm: str
    kid: str
    client_id: str
    claims: dict[str, Any]


def read_assertion(text: str) -> Assertion:
    """The parts of a signed JWT. Keys that its header brings along or points at are not looked at (RFC 8725, 3.10).

    Raises:
        BadAssertionError: it cannot be one of a client of ours.
    """
    if len(text) > MAX_ASSERTION or not _COMPACT.match(text):
        raise BadAssertionError("malformed_assertion")
    head, body, _signature = text.split(".")
    header, claims = _object(head), _object(body)
    algorithm, kid, kind = header.get("alg"), header.get("kid", ""), header.get("typ", "JWT")
    if algorithm not in ALGORITHMS:
        raise BadAssertionError("assertion_algorithm")
    if not isinstance(kid, str) or len(kid) > MAX_VALUE or "crit" in header:
        raise BadAssertionError("malformed_assertion")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise BadAssertionError("assertion_type")
    client_id = claims.get("sub")
    # RFC 7523 section 3, points 1 and 2
    if not _is_text(client_id) or claims.get("iss") != client_id:
        raise BadAssertionError("assertion_subject")
    return Assertion(text=text, algorithm=algorithm, kid=kid, client_id=str(client_id), claims=claims)


def check_claims(claims: dict[str, Any], *, now: float) -> None:
    """For us, for now, not for long, and recognisable when it comes again (RFC 7523 section 3, points 3 to 7).

    Args:
        now: Unix seconds.

    Raises:
        BadAssertionError: otherwise.
    """
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if audience not in (settings.PUBLIC_BASE_URL, f"{settings.PUBLIC_BASE_URL}/oauth/token"):
        raise BadAssertionError("assertion_audience")
    if expires_at(claims) <= now:
        raise BadAssertionError("assertion_expired")
    if expires_at(claims) > now + LONGEST_S + LEEWAY_S:
        raise BadAssertionError("assertion_too_long")
    if any(_time(claims[name], name) > now + LEEWAY_S for name in ("iat", "nbf") if name in claims):
        raise BadAssertionError("assertion_too_early")
    if not _is_text(claims.get("jti")):
        raise BadAssertionError("assertion_without_jti")


def expires_at(claims: dict[str, Any]) -> float:
    """Unix seconds.

    Raises:
        BadAssertionError: it never ends.
    """
    return _time(claims.get("exp"), "exp")


def _time(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 2**40 or not math.isfinite(value):
        raise BadAssertionError(f"assertion_{name}")
    return float(value)


def _is_text(value: object) -> bool:
    # What can be stored and compared: PostgreSQL has no NUL, and UTF-8 no surrogates
    if not isinstance(value, str) or not 0 < len(value) <= MAX_VALUE or "\x00" in value:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _object(part: str) -> dict[str, Any]:
    try:
        found = loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        raise BadAssertionError("malformed_assertion") from None
    if not isinstance(found, dict):
        raise BadAssertionError("malformed_assertion")
    return found
