"""Events of a connection in words a person understands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.models import Event
from proxy.catalogue.models import Operation

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `tone` is done, blocked or failed."""

    at: datetime
    title: str
    outcome: str
    tone: str
    request_id: str


def entries_of(events: Sequence[Event]) -> list[Entry]:
    """The events in the order given, calls named by their operation's title."""
    titles = _titles({(event.backend, event.operation) for event in events if event.operation})
    return [_entry(event, titles) for event in events]


def _titles(keys: set[Key]) -> dict[Key, str]:
    rows = Operation.objects.filter(
        backend__name__in={backend for backend, _operation in keys},
        operation_id__in={operation for _backend, operation in keys},
    ).values_list("backend__name", "operation_id", "title")
    return {(backend, operation): title for backend, operation, title in rows if title}


def _entry(event: Event, titles: dict[Key, str]) -> Entry:
    is_call = event.kind == Kind.PROXY_CALL_DECIDED
    title = _call_title(event, titles) if is_call else _kind_words(event.kind)
    outcome, tone = _outcome(event) if is_call else ("", "done" if event.decision == Decision.ALLOW else "blocked")
    return Entry(at=event.timestamp, title=title, outcome=outcome, tone=tone, request_id=event.request_id)


def _call_title(event: Event, titles: dict[Key, str]) -> str:
    known = titles.get((event.backend, event.operation))
    return known or event.operation or f"{event.method} {event.path}".strip() or _("A call")


def _outcome(event: Event) -> tuple[str, str]:
    if event.phase == Phase.INTENT:
        return _("Started; how it ended is not known"), "failed"
    if event.decision == Decision.DENY:
        return _("Blocked: %(why)s") % {"why": _reason_words(event.reason)}, "blocked"
    if event.decision == Decision.ERROR:
        return _("Failed: %(why)s") % {"why": _reason_words(event.reason)}, "failed"
    if event.status is not None and event.status >= 400:
        return _("The service answered with error %(status)s") % {"status": event.status}, "failed"
    return _("Done"), "done"


def _reason_words(reason: str) -> str:
    words: dict[str, Callable[[], str]] = {
        "insufficient_scope": lambda: _("you did not give this permission"),
        "scope_missing": lambda: _("you did not give this permission"),
        "rate_limited": lambda: _("too many calls at a time"),
        "expired": lambda: _("its access had expired"),
        "revoked": lambda: _("you had revoked its access"),
        "suspended_client": lambda: _("our staff suspended the application"),
        "upstream_timeout": lambda: _("the service did not answer in time"),
        "upstream_unreachable": lambda: _("the service could not be reached"),
        "client_gone": lambda: _("the application did not wait for the answer"),
    }
    # An unknown slug is still better than silence
    return words[reason]() if reason in words else (reason.replace("_", " ") or _("no reason was recorded"))


def _kind_words(kind: str) -> str:
    words: dict[str, Callable[[], str]] = {
        Kind.OAUTH_AUTHORIZATION_SHOWN: lambda: _("It asked for your permission"),
        Kind.OAUTH_AUTHORIZATION_ALLOWED: lambda: _("You allowed it"),
        Kind.OAUTH_AUTHORIZATION_DENIED: lambda: _("You refused it"),
        Kind.OAUTH_AUTHORIZATION_REFUSED: lambda: _("Its request was refused"),
        Kind.OAUTH_TOKEN_ISSUED: lambda: _("It was connected"),
        Kind.OAUTH_TOKEN_REFRESHED: lambda: _("It renewed its access"),
        Kind.OAUTH_TOKEN_REFUSED: lambda: _("It was refused access"),
        Kind.OAUTH_TOKEN_REPLAYED: lambda: _("Old access was used again, so it was stopped"),
        Kind.OAUTH_TOKEN_REVOKED: lambda: _("It gave up its access"),
        Kind.OAUTH_CONNECTION_REVOKED: lambda: _("Its access was revoked"),
    }
    return words[kind]() if kind in words else _("Something else happened")
