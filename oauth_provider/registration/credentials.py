"""Tokens of registration: invitations, and what a client changes its registration with. Good for nothing else.

Neither has the prefix of an access token, so the data plane refuses both by their shape.
"""

import hashlib
import secrets
import string

from django.http import HttpRequest

INVITATION_PREFIX = "gh_iat_"
REGISTRATION_PREFIX = "gh_reg_"
MAX_TOKEN = 128
_ALPHABET = string.ascii_letters + string.digits
# 43 of 62 are 256 bits
_LENGTH = 43


def new_token(prefix: str) -> str:
    """256 random bits after `prefix`."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def digest(token: str) -> str:
    """What is stored: a fast hash suffices for 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def bearer(request: HttpRequest) -> str:
    """The token of the Authorization header; "" without one (RFC 6750 section 2.1)."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip()[: MAX_TOKEN + 1] if scheme.lower() == "bearer" else ""
