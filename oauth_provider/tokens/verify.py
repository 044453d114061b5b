"""What the gateway knows about a bearer token: one SQL statement, every condition, nothing remembered.

The data plane calls this from its worker threads, outside any request of Django's: it closes what it opened
when the database went away, and tries once more on a fresh connection.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import InterfaceError, OperationalError, connection

from audit.ledger.events import UserRef
from oauth_provider.tokens.generators import ACCESS_TOKEN_PREFIX

MAX_TOKEN = 512

# One row per live scope that the token names: the join does the intersection with what staff enabled, in either
# database. LIKE may match too much (an underscore is a wildcard); the sets below decide.
_QUERY = """
SELECT t.expires, t.scope, t.resource, t.user_id, u.is_active, i.external_id, a.client_id, a.allowed_scopes,
       a.suspended_at, c.id, c.scopes, c.revoked_at, c.expires_at, f.revoked_at, s.name
FROM {token} t
JOIN {client} a ON a.id = t.application_id
LEFT JOIN {user} u ON u.id = t.user_id
LEFT JOIN {identity} i ON i.user_id = t.user_id
LEFT JOIN {membership} m ON m.access_token_id = t.id
LEFT JOIN {family} f ON f.id = m.family_id
LEFT JOIN {connection} c ON c.id = f.connection_id AND c.user_id = t.user_id AND c.client_id = t.application_id
LEFT JOIN {scope} s ON s.enabled AND ' ' || t.scope || ' ' LIKE '%% ' || s.name || ' %%'
WHERE t.token_checksum = %s
"""


class InvalidToken(Exception):
    """The token opens nothing. `reason`: unknown, expired, revoked, inactive_user, suspended_client, no_connection."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a live access token says. `resources` are identifiers, `expires_at` seconds since the epoch."""

    user: UserRef | None
    client_id: str
    scopes: frozenset[str]
    resources: tuple[str, ...]
    connection: str
    expires_at: float
    fingerprint: str


@dataclass(frozen=True, slots=True)
class _Row:
    expires: Any
    scope: str
    resource: Any
    user_id: int | None
    is_active: bool | None
    external_id: str | None
    client_id: str
    allowed_scopes: str
    suspended_at: Any
    connection_id: Any
    connection_scopes: str | None
    connection_revoked_at: Any
    connection_expires_at: Any
    family_revoked_at: Any
    live_scope: str | None


def fingerprint(token: str) -> str:
    """16 hexadecimal digits that identify a token in the ledger and give nothing away."""
    return _checksum(token)[:16]


def verify_access_token(token: str) -> VerifiedToken:
    """Everything that must hold for an access token to open anything, in one statement.

    Its scopes are those of the token, the client, the connection and the enabled catalogue, all four.

    Raises:
        InvalidToken: it opens nothing; the reason is for the ledger, not for the caller.
    """
    # Refresh tokens, ID tokens and JWTs are refused by their shape (RFC 6750 section 2)
    if not token.startswith(ACCESS_TOKEN_PREFIX) or len(token) > MAX_TOKEN or not token.isascii():
        raise InvalidToken("unknown")
    checksum = _checksum(token)
    rows = [_Row(*row) for row in _fetch(checksum)]
    if not rows:
        raise InvalidToken("unknown")
    row = rows[0]
    _check(row)
    live = frozenset(found.live_scope for found in rows if found.live_scope)
    scopes = live & set(row.scope.split()) & set(row.allowed_scopes.split())
    if row.user_id is not None:
        scopes &= set((row.connection_scopes or "").split())
    return VerifiedToken(
        user=_user(row),
        client_id=row.client_id,
        scopes=scopes,
        resources=_resources(row.resource),
        connection=_uuid_text(row.connection_id),
        expires_at=_moment(row.expires).timestamp(),
        fingerprint=checksum[:16],
    )


def _check(row: _Row) -> None:
    now = datetime.now(UTC)
    if row.user_id is not None and row.connection_id is None:
        raise InvalidToken("no_connection")
    if row.connection_revoked_at is not None or row.family_revoked_at is not None:
        raise InvalidToken("revoked")
    if row.user_id is not None and not row.is_active:
        raise InvalidToken("inactive_user")
    if row.suspended_at is not None:
        raise InvalidToken("suspended_client")
    if _moment(row.expires) <= now:
        raise InvalidToken("expired")
    if row.connection_expires_at is not None and _moment(row.connection_expires_at) <= now:
        raise InvalidToken("expired")


def _user(row: _Row) -> UserRef | None:
    if row.user_id is None:
        return None
    return UserRef(user_id=row.user_id, external_id=row.external_id or f"local:{row.user_id}")


def _fetch(checksum: str) -> Sequence[tuple[Any, ...]]:
    try:
        return _run(checksum)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        # The server restarted or dropped an idle connection: this thread starts over, once
        connection.close()
        return _run(checksum)


def _run(checksum: str) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_query(), [checksum])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


@lru_cache(maxsize=1)
def _query() -> str:
    models = {
        "token": "oauth2_provider.AccessToken",
        "client": "oauth_provider.Client",
        "user": "auth.User",
        "identity": "oauth_provider.Identity",
        "membership": "oauth_provider.FamilyToken",
        "family": "oauth_provider.TokenFamily",
        "connection": "oauth_provider.Connection",
        "scope": "oauth_provider.Scope",
    }
    return _QUERY.format(**{name: apps.get_model(model)._meta.db_table for name, model in models.items()})


def _checksum(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _moment(value: datetime | str) -> datetime:
    # SQLite hands out text or naive values, always UTC
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _resources(value: str | list[str] | None) -> tuple[str, ...]:
    found = json.loads(value) if isinstance(value, str) else value
    return tuple(str(item) for item in found or ())


def _uuid_text(value: UUID | str | None) -> str:
    text = str(value) if value is not None else ""
    if len(text) == 32:
        # SQLite stores a UUID as 32 digits
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return text
