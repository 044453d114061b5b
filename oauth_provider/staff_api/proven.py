"""Passwords that were right a moment ago, so that a script by HTTP Basic is not slowed by a slow hash at every request.

Kept in this process only, as an HMAC under a key that dies with it; a changed password is forgotten with its hash.
"""

import hashlib
import hmac
import secrets
import threading
import time

from django.contrib.auth.models import User

REMEMBERED_S = 60.0
MAX_REMEMBERED = 256
_KEY = secrets.token_bytes(32)
_lock = threading.Lock()
# From the proof to the user's id, the hash it was checked against, and when that was
_proven: dict[bytes, tuple[int, str, float]] = {}


def proven_user(*, username: str, password: str) -> User | None:
    """The active user who proved this password within the last minute; None: it must be checked."""
    with _lock:
        found = _proven.get(_proof(username, password))
    if found is None or time.monotonic() - found[2] > REMEMBERED_S:
        return None
    return User.objects.filter(pk=found[0], password=found[1], username=username, is_active=True).first()


def remember_proof(user: User, *, username: str, password: str) -> None:
    """`user` has just proved this password."""
    now = time.monotonic()
    with _lock:
        if len(_proven) >= MAX_REMEMBERED:
            _proven.clear()
        _proven[_proof(username, password)] = (user.pk, user.password, now)


def _proof(username: str, password: str) -> bytes:
    # The length keeps "ab" + "c" and "a" + "bc" apart
    text = f"{len(username)}:{username}{password}"
    return hmac.digest(_KEY, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
