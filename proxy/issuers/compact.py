"""Compact JWTs (RFC 7515 section 3.1, RFC 7519), read so that no two readers could differ; nothing is believed yet."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oauth_provider.strict_json import loads
from proxy.issuers.refused import InvalidExternalToken

# A header field of a request has at most 8 KiB (front door)
MAX_TOKEN = 8000
_COMPACT = re.compile(r"\A([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\Z")


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says of itself. `signed` is what the signature is over."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @property
    def issuer(self) -> str:
        """Whose it claims to be, "" without a text in `iss`."""
        found = self.claims.get("iss")
        return found if isinstance(found, str) else ""

    @property
    def algorithm(self) -> str:
        """The `alg` it names, "" without a text."""
        found = self.header.get("alg")
        return found if isinstance(found, str) else ""

    @property
    def key_id(self) -> str | None:
        """The `kid` it names, None without a text."""
        found = self.header.get("kid")
        return found if isinstance(found, str) else None


def read(token: str) -> Unverified:
    """The parts of `token`; three of them, so a JWE (five) and an unsigned token (an empty third) are none.

    Raises:
        InvalidExternalToken: malformed: too long, not base64url as RFC 7515 section 2 has it, or not JSON objects.
    """
    parts = _COMPACT.match(token) if len(token) <= MAX_TOKEN else None
    if parts is None:
        raise InvalidExternalToken("malformed")
    header, claims, signature = parts.groups()
    return Unverified(
        header=_json_object(header),
        claims=_json_object(claims),
        signed=token[: parts.end(2)].encode("ascii"),
        signature=_decoded(signature),
    )


def _decoded(part: str) -> bytes:
    try:
        found = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidExternalToken("malformed") from None
    # Unused bits that are not zero would give one token many spellings
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != part:
        raise InvalidExternalToken("malformed")
    return found


def _json_object(part: str) -> Mapping[str, Any]:
    try:
        # RFC 7519 section 4: names are unique, or the token is refused
        found = loads(_decoded(part))
    except ValueError:
        raise InvalidExternalToken("malformed") from None
    if not isinstance(found, dict):
        raise InvalidExternalToken("malformed")
    return found
