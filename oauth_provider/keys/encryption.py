"""Encryption at rest with the keys of ENCRYPTION_KEYS, newest first (Fernet: AES-128-CBC with HMAC-SHA256)."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Undecipherable(Exception):
    """The value was sealed with a key that is no longer listed in ENCRYPTION_KEYS."""


def encrypt(plain: bytes) -> str:
    """Seal `plain` with the newest key."""
    return _fernet().encrypt(plain).decode()


def decrypt(sealed: str) -> bytes:
    """Open what any listed key has sealed.

    Raises:
        Undecipherable: no listed key opens it.
    """
    try:
        return _fernet().decrypt(sealed.encode())
    except InvalidToken as fault:
        raise Undecipherable from fault


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])
