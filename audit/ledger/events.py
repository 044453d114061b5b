"""Draft: an event before it is written. Its fields are the allow-list; nothing else can reach the ledger."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import uuid_utils.compat

from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.origin import origin_network, origin_request_id


def new_event_id() -> UUID:
    """A UUIDv7 (RFC 9562 section 5.7): sorts by the time it was made."""
    return uuid_utils.compat.uuid7()


def utc_now() -> datetime:
    """The time of an event, UTC, to the microsecond."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class UserRef:
    """A user as callers know them; the ledger keeps a pseudonym in their place."""

    user_id: int
    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One event to be recorded.

    `user` is whom it concerns, `actor` the staff member who acted (None when the user did). `path` is the
    template, never the values; `token` a fingerprint of 16 hex digits; latencies are microseconds, sizes bytes;
    `retries` is how often the backend was asked again;
    `scopes` are names separated by spaces; `fields` are names of changed fields, never their values.
    Texts longer than their column are cut when written.
    """

    kind: Kind
    phase: Phase = Phase.FINAL
    decision: Decision = Decision.ALLOW
    reason: str = ""
    user: UserRef | None = None
    actor: UserRef | None = None
    client_id: str = ""
    connection: str = ""
    backend: str = ""
    operation: str = ""
    method: str = ""
    path: str = ""
    status: int | None = None
    upstream_status: int | None = None
    latency_us: int | None = None
    upstream_latency_us: int | None = None
    request_bytes: int | None = None
    response_bytes: int | None = None
    retries: int | None = None
    scopes: str = ""
    scopes_required: str = ""
    audience: str = ""
    token: str = ""
    target: str = ""
    fields: tuple[str, ...] = ()
    note: str = ""
    request_id: str = field(default_factory=origin_request_id)
    address: str = field(default_factory=origin_network)
    id: UUID = field(default_factory=new_event_id)
    timestamp: datetime = field(default_factory=utc_now)
