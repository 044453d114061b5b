"""Which entries of a log stream's delivery tell of a client that registered itself."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oauth_provider.webhooks.errors import WebhookRefused

_CLIENT_ID = re.compile(r"\A[A-Za-z0-9_-]{1,128}\Z")
_LOG_ID = re.compile(r"\A[!-~]{1,200}\Z")
_REGISTER = "/oidc/register"
_WORDS = "dynamic client registration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """`log_id` names the entry for ever; `client_id` is "" when the entry does not say it."""

    log_id: str
    client_id: str


def registrations(body: bytes) -> list[Registered]:
    """The registrations among the entries of a delivery: a JSON array, one object, or one object per line.

    Raises:
        WebhookRefused: it is neither.
    """
    return [_registered(entry) for entry in _entries(body) if _is_registration(_data(entry))]


def _entries(body: bytes) -> list[Mapping[str, Any]]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = _lines(body)
    entries = found if isinstance(found, list) else [found]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise WebhookRefused("body_unreadable")
    return entries


def _lines(body: bytes) -> list[Any]:
    try:
        return [json.loads(line) for line in body.splitlines() if line.strip()]
    except (ValueError, RecursionError) as fault:
        raise WebhookRefused("body_unreadable") from fault


def _data(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    data = entry.get("data")
    return data if isinstance(data, dict) else entry


def _is_registration(data: Mapping[str, Any]) -> bool:
    path = str(_within(data, "details", "request", "path") or "")
    is_said = _WORDS in str(data.get("description") or "").lower()
    return data.get("type") == "sapi" and (is_said or path.lower().rstrip("/").endswith(_REGISTER))


def _registered(entry: Mapping[str, Any]) -> Registered:
    data = _data(entry)
    log_id = str(entry.get("log_id") or data.get("log_id") or "")
    if not _LOG_ID.match(log_id):
        log_id = hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
    client_id = str(_within(data, "details", "response", "body", "client_id") or "")
    return Registered(log_id=log_id, client_id=client_id if _CLIENT_ID.match(client_id) else "")


def _within(data: Mapping[str, Any], *names: str) -> object:
    found: object = data
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
