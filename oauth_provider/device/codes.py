"""The two codes of a device (RFC 8628 section 3.2): one for the device to poll with, one for a person to type."""

import secrets
from datetime import timedelta

from django.utils.crypto import salted_hmac

LIFETIME = timedelta(seconds=600)
INTERVAL_S = 5
# Section 6.1: no vowels, so no words, and nothing that is read as another letter or as a digit: 34 bits with 8 of them
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
USER_CODE_LENGTH = 8
DEVICE_CODE_PREFIX = "gh_dc_"
# What people put between the halves, and what a keyboard makes of it
_BETWEEN = str.maketrans("", "", " -\u2010\u2011\u2012\u2013\u2014._\t")
_MAX_TYPED = 32


def new_device_code() -> str:
    """256 random bits, with a prefix that secret scanners know."""
    return DEVICE_CODE_PREFIX + secrets.token_urlsafe(32)


def new_user_code() -> str:
    """As it is kept in mind by nobody: without the dash."""
    return "".join(secrets.choice(ALPHABET) for _ in range(USER_CODE_LENGTH))


def shown_user_code(code: str) -> str:
    """As people read it: in two halves."""
    half = USER_CODE_LENGTH // 2
    return f"{code[:half]}-{code[half:]}"


def read_user_code(typed: str) -> str:
    """What somebody typed, in any case, with or without the dash; "" when it cannot be a code."""
    code = typed[:_MAX_TYPED].translate(_BETWEEN).upper()
    return code if len(code) == USER_CODE_LENGTH and set(code) <= set(ALPHABET) else ""


def user_code_digest(code: str) -> str:
    """What is stored: keyed, because all codes of 34 bits are tried in a minute by whoever reads the database."""
    return salted_hmac("oauth_provider.device.user_code", code, algorithm="sha256").hexdigest()
