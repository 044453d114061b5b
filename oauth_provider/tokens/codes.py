"""Authorization codes: random, short-lived, stored only as a checksum."""

import hashlib
import secrets
from datetime import timedelta

LIFETIME = timedelta(seconds=60)


def new_code() -> str:
    """Return a new authorization code of 256 random bits (RFC 6749 section 10.10)."""
    return secrets.token_urlsafe(32)


def code_checksum(code: str) -> str:
    """Return what is stored for ``code``: its SHA-256 in hexadecimal. A fast hash suffices for 256 random bits."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
