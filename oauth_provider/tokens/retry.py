"""A client may repeat a refresh whose answer got lost, or that its other process won: it gets the same pair again.

Nothing is stored in clear: the pair is sealed under a key that only the refresh token that paid for it gives
(HKDF, RFC 5869), and of that token the database holds a SHA-256. Whoever reads the database opens nothing.
"""

import base64
import json
from datetime import UTC, datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from oauth_provider.tokens.issued import Issued

RETRY_WINDOW = timedelta(seconds=60)
# Part of the sealed form, as the names below are: a change makes what is sealed now unreadable, for a minute
_CONTEXT = b"gatehouse: pair bought by a refresh token"


def seal_pair(issued: Issued, *, paid_with: str) -> str:
    """Seal a pair so that only the refresh token `paid_with` opens it."""
    content = {
        "access_token": issued.access_token,
        "refresh_token": issued.refresh_token,
        "scope": issued.scope,
        "expires_at": issued.expires_at.timestamp(),
    }
    return _fernet(paid_with).encrypt(json.dumps(content).encode()).decode("ascii")


def open_pair(sealed: str, *, paid_with: str) -> Issued | None:
    """The pair, or None when another refresh token paid for it."""
    try:
        content = json.loads(_fernet(paid_with).decrypt(sealed))
    except InvalidToken:
        return None
    return Issued(
        access_token=content["access_token"],
        refresh_token=content["refresh_token"],
        scope=content["scope"],
        expires_at=datetime.fromtimestamp(content["expires_at"], UTC),
    )


def _fernet(refresh_token: str) -> Fernet:
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_CONTEXT)
    return Fernet(base64.urlsafe_b64encode(derivation.derive(refresh_token.encode())))
