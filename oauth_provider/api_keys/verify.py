"""What the gateway knows about an API key: one SQL statement, from any thread."""

import hashlib
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from oauth_provider.api_keys.models import ApiKey
from oauth_provider.one_statement import fetch
from oauth_provider.scopes.models import Scope

MAX_KEY = 512


class InvalidApiKey(Exception):
    """The key opens nothing. `reason`: unknown, revoked, expired."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class VerifiedApiKey:
    """A live key: the name staff gave it, and its scopes that are enabled."""

    name: str
    scopes: frozenset[str]


def checksum(key: str) -> str:
    """What is stored for `key`; a fast hash suffices for random keys."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def verify_api_key(key: str) -> VerifiedApiKey:
    """The live key, or a refusal.

    Raises:
        InvalidApiKey: it is unknown, revoked or expired.
    """
    if not key or len(key) > MAX_KEY:
        raise InvalidApiKey("unknown")
    query = _QUERY.format(key=ApiKey._meta.db_table, scope=Scope._meta.db_table)
    rows = fetch(query, [connection.ops.adapt_datetimefield_value(timezone.now()), checksum(key)])
    if not rows:
        raise InvalidApiKey("unknown")
    name, scopes, revoked, expired = rows[0][:4]
    if revoked:
        raise InvalidApiKey("revoked")
    if expired:
        raise InvalidApiKey("expired")
    live = {str(row[4]) for row in rows if row[4]}
    return VerifiedApiKey(name=str(name), scopes=frozenset(live & set(str(scopes).split())))


_QUERY = """
SELECT k.name, k.scopes, k.revoked_at IS NOT NULL, k.expires_at IS NOT NULL AND k.expires_at <= %s, s.name
FROM {key} k LEFT JOIN {scope} s ON s.enabled AND ' ' || k.scopes || ' ' LIKE '%% ' || s.name || ' %%'
WHERE k.checksum = %s
"""
