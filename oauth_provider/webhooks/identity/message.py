"""What the provider says of a person, out of the shapes it may have: Clerk's, or the plain one of our guide."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from oauth_provider.identities.provider.facts import is_plain, readable_email
from oauth_provider.webhooks.errors import WebhookRefused

_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`kind` such as user.deleted; `email` is "" and `is_stopped` None when it says nothing of it."""

    kind: str
    subject: str
    said_at: datetime | None
    email: str = ""
    is_email_verified: bool = False
    is_stopped: bool | None = None


def read_message(body: bytes) -> Message:
    """Read a message whose sender is proven.

    Raises:
        WebhookRefused: it is no JSON object with a `type` and `data`.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise WebhookRefused("body_unreadable") from fault
    data = found.get("data") if isinstance(found, dict) else None
    kind = found.get("type") if isinstance(found, dict) else None
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise WebhookRefused("body_unreadable")
    subject = data.get("id")
    email, is_verified = _email(data)
    return Message(
        kind=kind,
        subject=subject if isinstance(subject, str) and is_plain(subject) else "",
        said_at=_moment(found.get("timestamp")),
        email=email,
        is_email_verified=is_verified,
        is_stopped=_is_stopped(data),
    )


def _email(data: Mapping[str, Any]) -> tuple[str, bool]:
    addresses = data.get("email_addresses")
    if isinstance(addresses, list):
        primary = data.get("primary_email_address_id")
        entries = [entry for entry in addresses if isinstance(entry, dict) and entry.get("id") == primary]
        if not entries or not primary:
            return "", False
        proof = entries[0].get("verification")
        is_verified = isinstance(proof, dict) and proof.get("status") == "verified"
        return readable_email(entries[0].get("email_address")), is_verified
    return readable_email(data.get("email")), data.get("email_verified") is True


def _is_stopped(data: Mapping[str, Any]) -> bool | None:
    said = [data[name] for name in ("banned", "locked") if isinstance(data.get(name), bool)]
    return any(said) if said else None


def _moment(value: object) -> datetime | None:
    # Clerk: milliseconds since the epoch; Standard Webhooks: ISO 8601
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / _MILLISECONDS, tz=UTC)
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
