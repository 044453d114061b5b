"""A JWK Set of somebody else's public keys (RFC 7517), believed no further than its shape."""

import json
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

MAX_KEYS = 100
# What only the holder of a private or shared key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1)
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_TYPES: dict[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_LEAST_RSA_BITS, _MOST_RSA_BITS = 2048, 8192
# Base64url characters of the longest modulus
_LONGEST_MEMBER = _MOST_RSA_BITS // 6 + 8


class BadKeysError(ValueError):
    """The key set cannot be used; `reason` is a slug, `message` is for the person who typed it."""

    def __init__(self, reason: str, message: Promise) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = message


def public_keys(text: str | bytes) -> KeySet:
    """The keys of a JWK Set that can verify a signature; a key of a type nobody here knows is passed over.

    Raises:
        BadKeysError: it is no JWK Set, it holds a private or a shared key, or no key of it can be used.
    """
    entries = _entries(text)
    if any(_SECRET_MEMBERS & entry.keys() or entry.get("kty") == "oct" for entry in entries):
        raise BadKeysError("private_key", _("It holds a private or a shared key. Publish the public keys only."))
    keys = [key for key in map(_key, entries) if key is not None]
    if not keys:
        raise BadKeysError("no_usable_key", _("It holds no key that can verify a signature: RSA of 2048 bits, or EC."))
    return KeySet(keys)


def _entries(text: str | bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadKeysError("not_json", _("This is not JSON.")) from None
    entries = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadKeysError("not_a_key_set", _("Use a JSON object with a list “keys” (RFC 7517)."))
    if len(entries) > MAX_KEYS:
        raise BadKeysError("too_many_keys", _("These are too many keys."))
    return entries


def _key(entry: dict[str, Any]) -> Key | None:
    kind = _TYPES.get(str(entry.get("kty")))
    if kind is None or entry.get("use", "sig") != "sig":
        return None
    # What certificates and other members say is not looked at (RFC 8725 section 3.10)
    members = {name: entry[name] for name in ("kty", "kid", "alg", "crv", "x", "y", "n", "e") if name in entry}
    if not all(isinstance(value, str) and len(value) <= _LONGEST_MEMBER for value in members.values()):
        return None
    if kind is RSAKey and not _is_strong(members):
        return None
    try:
        key = kind.import_key(members)
        public = key.public_key
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        return None
    strong = not isinstance(public, rsa.RSAPublicKey) or _LEAST_RSA_BITS <= public.key_size <= _MOST_RSA_BITS
    return key if strong else None


def _is_strong(members: dict[str, str]) -> bool:
    # Before the library sees it, which warns of a short modulus and works long with a huge exponent
    return len(members.get("n", "")) >= _LEAST_RSA_BITS // 6 and len(members.get("e", "")) <= 8
