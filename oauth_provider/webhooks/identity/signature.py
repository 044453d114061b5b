"""Is a message the provider's, as it was sent, and new? Standard Webhooks, which Svix and with it Clerk speak.

The signature covers `<id>.<timestamp>.<body>`; it is HMAC-SHA256 under the bytes behind `whsec_`, in base64, one or
several of them separated by blanks, each with the version `v1,` before it.
"""

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Mapping

from oauth_provider.webhooks.errors import WebhookRefused

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
# How old a message may be, and how far clocks may be apart
TOLERANCE_S = 300
_FAMILIES = ("webhook", "svix")
_ID = re.compile(r"\A[!-~]{1,200}\Z")
_TIMESTAMP = re.compile(r"\A[0-9]{1,12}\Z")
_MOST_SIGNATURES = 20


def secret_bytes(secret: str) -> bytes:
    """What signs, from the secret as the provider shows it.

    Raises:
        ValueError: it does not look like one.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as fault:
        raise ValueError("not base64") from fault
    if not secret.startswith(SECRET_PREFIX) or len(key) < 16:
        raise ValueError("too short, or without its beginning")
    return key


def check_signature(headers: Mapping[str, str], body: bytes, *, secrets: Iterable[str]) -> str:
    """The id of a message that one of `secrets` signed within the last five minutes.

    Raises:
        WebhookRefused: it was not, or its headers are missing or malformed.
    """
    name, timestamp, signatures = _headers(headers)
    if not _ID.match(name) or not _TIMESTAMP.match(timestamp):
        raise WebhookRefused("headers_malformed")
    signed = b".".join([name.encode(), timestamp.encode(), body])
    if not _is_signed(signed, signatures, secrets):
        raise WebhookRefused("signature_refused", status=401)
    # After the signature: a stranger learns nothing of our clock
    if abs(time.time() - int(timestamp)) > TOLERANCE_S:
        raise WebhookRefused("timestamp_refused", status=401)
    return name


def _headers(headers: Mapping[str, str]) -> tuple[str, str, str]:
    # One family, whole: never the id of one with the signature of the other
    for family in _FAMILIES:
        found = [headers.get(f"{family}-{part}", "") for part in ("id", "timestamp", "signature")]
        if all(found):
            return found[0], found[1], found[2]
    raise WebhookRefused("headers_missing")


def _is_signed(signed: bytes, signatures: str, secrets: Iterable[str]) -> bool:
    good = [hmac.digest(secret_bytes(secret), signed, hashlib.sha256) for secret in secrets]
    given = [_decoded(value) for value in signatures.split()[:_MOST_SIGNATURES]]
    # Every pair is compared, so that time says nothing about which one failed
    matches = [hmac.compare_digest(wanted, found) for wanted in good for found in given]
    return any(matches)


def _decoded(value: str) -> bytes:
    version, _comma, text = value.partition(",")
    try:
        return base64.b64decode(text, validate=True) if version == "v1" else b""
    except ValueError:
        return b""
