"""Events of a connection in words a person understands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.connected_apps.reasons import reason_words
from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.models import Event
from proxy.catalogue.models import Operation

Key = tuple[str, str]
HTTP_ERROR = 400

_KINDS: Mapping[str, Promise] = {
    Kind.OAUTH_AUTHORIZATION_SHOWN: gettext_lazy("It asked for your permission"),
    Kind.OAUTH_AUTHORIZATION_ALLOWED: gettext_lazy("You allowed it"),
    Kind.OAUTH_AUTHORIZATION_DENIED: gettext_lazy("You refused it"),
    Kind.OAUTH_AUTHORIZATION_REFUSED: gettext_lazy("Its request was refused"),
    Kind.OAUTH_TOKEN_ISSUED: gettext_lazy("It was connected"),
    Kind.OAUTH_TOKEN_REFRESHED: gettext_lazy("It renewed its access"),
    Kind.OAUTH_TOKEN_REFUSED: gettext_lazy("It was refused access"),
    Kind.OAUTH_TOKEN_REPLAYED: gettext_lazy("Old access was used again, so it was stopped"),
    Kind.OAUTH_USERINFO_READ: gettext_lazy("It read who you are"),
    Kind.OAUTH_TOKEN_REVOKED: gettext_lazy("It gave up its access"),
}
_REVOKED: Mapping[str, Promise] = {
    "by_user": gettext_lazy("You revoked its access"),
    "by_client": gettext_lazy("It disconnected itself"),
    "by_staff": gettext_lazy("Our staff revoked its access"),
    "by_provider": gettext_lazy("Your account was closed or blocked where you sign in"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `tone` is done, blocked or failed; `outcome` says why it is not done."""

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


def _entry(event: Event, titles: Mapping[Key, str]) -> Entry:
    if event.kind == Kind.PROXY_CALL_DECIDED:
        title = titles.get((event.backend, event.operation)) or event.operation or _("A call")
        outcome, tone = _outcome(event)
    else:
        title = _title(event)
        outcome, tone = "", "done" if event.decision == Decision.ALLOW else "blocked"
    return Entry(at=event.timestamp, title=title, outcome=outcome, tone=tone, request_id=event.request_id)


def _title(event: Event) -> str:
    words = _REVOKED.get(event.reason) if event.kind == Kind.OAUTH_CONNECTION_REVOKED else _KINDS.get(event.kind)
    return str(words or _("Something else happened"))


def _outcome(event: Event) -> tuple[str, str]:
    if event.phase == Phase.INTENT:
        return _("Started; how it ended is not known"), "failed"
    if event.decision == Decision.DENY:
        return _("Blocked: %(why)s") % {"why": reason_words(event.reason)}, "blocked"
    if event.decision == Decision.ERROR:
        return _("Failed: %(why)s") % {"why": reason_words(event.reason)}, "failed"
    if event.status is not None and event.status >= HTTP_ERROR:
        return _("The service answered with error %(status)s") % {"status": event.status}, "failed"
    return "", "done"
