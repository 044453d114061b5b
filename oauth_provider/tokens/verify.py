"""What the gateway knows about a bearer token: one SQL statement, every condition, nothing remembered.

The data plane calls this from its worker threads.
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

from audit.ledger.events import UserRef
from oauth_provider.one_statement import fetch
from oauth_provider.scopes.openid import OPENID_SCOPES
from oauth_provider.tokens.generators import ACCESS_TOKEN_PREFIX
from oauth_provider.tokens.signed import JWT_PREFIX

# A signed one with every permission there is (RFC 9068) stays below
MAX_TOKEN = 4096

# One row per live scope that the token names and ancestor that it has: the join does the intersection with what staff
# enabled, in either database. LIKE may match too much (an underscore is a wildcard); the sets below decide.
_QUERY = """
SELECT t.created, t.expires, t.scope, t.resource, t.user_id, u.is_active, i.external_id, i.grantable_scopes,
       a.id, a.client_id, a.allowed_scopes, a.suspended_at, c.id, c.client_id, c.scopes, c.revoked_at, c.expires_at,
       f.revoked_at, n.position, p.id, o.id, o.client_id, o.allowed_scopes, o.suspended_at, s.name
FROM {token} t
JOIN {client} a ON a.id = t.application_id
LEFT JOIN {user} u ON u.id = t.user_id
LEFT JOIN {identity} i ON i.user_id = t.user_id
LEFT JOIN {membership} m ON m.access_token_id = t.id
LEFT JOIN {family} f ON f.id = m.family_id
LEFT JOIN {connection} c ON c.id = f.connection_id AND c.user_id = t.user_id
LEFT JOIN {ancestor} n ON n.access_token_id = t.id
LEFT JOIN {token} p ON p.id = n.ancestor_id
LEFT JOIN {client} o ON o.id = n.client_id
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
    """What a live access token says. `resources` are identifiers, moments are seconds since the epoch.

    `clients` are those it went through, its owner last: more than one, or one twice, where it was exchanged (RFC 8693).
    """

    user: UserRef | None
    client_id: str
    scopes: frozenset[str]
    resources: tuple[str, ...]
    connection: str
    expires_at: float
    fingerprint: str
    issued_at: float = 0.0
    clients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    created: Any
    expires: Any
    scope: str
    resource: Any
    user_id: int | None
    is_active: bool | None
    external_id: str | None
    grantable_scopes: str | None
    client_pk: int
    client_id: str
    allowed_scopes: str
    suspended_at: Any
    connection_id: Any
    connection_client_pk: int | None
    connection_scopes: str | None
    connection_revoked_at: Any
    connection_expires_at: Any
    family_revoked_at: Any
    position: int | None
    ancestor_pk: int | None
    earlier_client_pk: int | None
    earlier_client_id: str | None
    earlier_allowed_scopes: str | None
    earlier_suspended_at: Any
    live_scope: str | None


def fingerprint(token: str) -> str:
    """16 hexadecimal digits that identify a token in the ledger and give nothing away."""
    return _checksum(token)[:16]


def verify_access_token(token: str) -> VerifiedToken:
    """Everything that must hold for an access token to open anything, in one statement.

    Its scopes are those of the token, the client, the connection, the enabled catalogue and what the person may give,
    all five; and of every client that it went through before.

    Raises:
        InvalidToken: it opens nothing; the reason is for the ledger, not for the caller.
    """
    # Refresh tokens are refused by their shape. A JWT is one of ours when it is found, whatever it says and whoever
    # signed it: an ID token is not (RFC 6750 section 2, RFC 9068 section 5)
    if not token.startswith((ACCESS_TOKEN_PREFIX, JWT_PREFIX)) or len(token) > MAX_TOKEN or not token.isascii():
        raise InvalidToken("unknown")
    checksum = _checksum(token)
    rows = [_Row(*row) for row in fetch(_query(), [checksum])]
    if not rows:
        raise InvalidToken("unknown")
    row, earlier = rows[0], _earlier(rows)
    _check(row, earlier)
    return VerifiedToken(
        user=_user(row),
        client_id=row.client_id,
        scopes=_scopes(rows, earlier),
        resources=_resources(row.resource),
        connection=_uuid_text(row.connection_id),
        expires_at=min(_moment(end) for end in (row.expires, row.connection_expires_at) if end).timestamp(),
        fingerprint=checksum[:16],
        issued_at=_moment(row.created).timestamp(),
        clients=(*(str(found.earlier_client_id) for found in earlier), row.client_id),
    )


def _earlier(rows: Sequence[_Row]) -> list[_Row]:
    """One row for each ancestor of the token, the first one first."""
    by_position = {row.position: row for row in rows if row.position is not None}
    return [row for _position, row in sorted(by_position.items())]


def _scopes(rows: Sequence[_Row], earlier: Sequence[_Row]) -> frozenset[str]:
    row = rows[0]
    live = frozenset(found.live_scope for found in rows if found.live_scope)
    allowed = [row.allowed_scopes, *(found.earlier_allowed_scopes or "" for found in earlier)]
    held = live.intersection(row.scope.split())
    if row.user_id is None:
        return held.intersection(*(ceiling.split() for ceiling in allowed))
    # What every client may ask about a person needs no leave of staff (`Client.askable_scopes`)
    grantable = [] if row.grantable_scopes is None else [row.grantable_scopes]
    ceilings = (OPENID_SCOPES.union(ceiling.split()) for ceiling in (*allowed, *grantable))
    return held.intersection((row.connection_scopes or "").split(), *ceilings)


def _check(row: _Row, earlier: Sequence[_Row]) -> None:
    now = datetime.now(UTC)
    # The person connected the first of the clients it went through
    connected = earlier[0].earlier_client_pk if earlier else row.client_pk
    if row.user_id is not None and (row.connection_id is None or row.connection_client_pk != connected):
        raise InvalidToken("no_connection")
    is_cut_off = any(found.ancestor_pk is None or found.earlier_client_pk is None for found in earlier)
    if is_cut_off or row.connection_revoked_at is not None or row.family_revoked_at is not None:
        raise InvalidToken("revoked")
    if row.user_id is not None and not row.is_active:
        raise InvalidToken("inactive_user")
    if row.suspended_at is not None or any(found.earlier_suspended_at is not None for found in earlier):
        raise InvalidToken("suspended_client")
    if _moment(row.expires) <= now:
        raise InvalidToken("expired")
    if row.connection_expires_at is not None and _moment(row.connection_expires_at) <= now:
        raise InvalidToken("expired")


def _user(row: _Row) -> UserRef | None:
    if row.user_id is None:
        return None
    return UserRef(user_id=row.user_id, external_id=row.external_id or f"local:{row.user_id}")


@lru_cache(maxsize=1)
def _query() -> str:
    models = {
        "token": "oauth2_provider.AccessToken",
        "client": "oauth_provider.Client",
        "user": "auth.User",
        "identity": "oauth_provider.Identity",
        "membership": "oauth_provider.FamilyToken",
        "family": "oauth_provider.TokenFamily",
        "ancestor": "oauth_provider.TokenAncestor",
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
