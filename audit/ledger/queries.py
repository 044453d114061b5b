"""Read the ledger: always by an index, page by page, never counted."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.models import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Page:
    """Events, newest first; `older` is the `before` of the next page, "" on the last."""

    events: tuple[Event, ...]
    older: str


class Filters(TypedDict, total=False):
    """What `search` narrows by; `subjects` are pseudonyms, `since` inclusive, `until` exclusive."""

    subjects: Collection[str]
    client_id: str
    connection: str
    operation: str
    decision: Decision
    kind: Kind
    request_id: str
    since: datetime
    until: datetime


def cursor_of(event: Event) -> str:
    """The event's place in the order (time, id), safe in a URL."""
    return f"{(event.timestamp - _EPOCH) // _MICROSECOND}.{event.pk.hex}"


def before_cursor(events: QuerySet[Event], cursor: str) -> QuerySet[Event]:
    """The events older than the one `cursor` names. Raises ValueError when it is none of ours."""
    micros, _, identifier = cursor.partition(".")
    if not (micros.isascii() and micros.isdigit()):
        raise ValueError("Not a cursor.")
    try:
        moment = _EPOCH + int(micros[:20]) * _MICROSECOND
    except OverflowError as error:
        raise ValueError("Not a cursor.") from error
    # Comparing the first column alone lets both databases start the index scan there
    return events.filter(Q(timestamp__lt=moment) | Q(timestamp=moment, id__lt=UUID(identifier)), timestamp__lte=moment)


def last_used(connection_ids: Iterable[str]) -> dict[str, datetime]:
    """When each connection last made a call, allowed or not; those that never did are absent."""
    return _last_calls("connection", connection_ids)


def clients_last_used(client_ids: Iterable[str]) -> dict[str, datetime]:
    """When each client last made a call, allowed or not; those that never did are absent."""
    return _last_calls("client_id", client_ids)


def _last_calls(column: str, values: Iterable[str]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for value in values:
        # One short index read each: MAX … GROUP BY would read every event they ever made
        calls = Event.objects.filter(**{column: str(value)}, kind=Kind.PROXY_CALL_DECIDED)
        moment = calls.order_by("-timestamp", "-id").values_list("timestamp", flat=True).first()
        if moment is not None:
            found[str(value)] = moment
    return found


def activity(connection_id: str, limit: int = 50, before: str = "") -> Page:
    """What happened on a connection. Raises ValueError for a `before` that is no cursor.

    An intent shows only while its final event is missing: it is then all that is known of that call.
    """
    events: QuerySet[Event] = Event.newest_first().filter(connection=str(connection_id))
    if before:
        events = before_cursor(events, before)
    rows = list(events[: limit + 1])
    shown = rows[:limit]
    older = cursor_of(shown[-1]) if len(rows) > limit else ""
    intents = [row.request_id for row in shown if row.phase == Phase.INTENT]
    finished = set(
        Event.objects.filter(request_id__in=intents, phase=Phase.FINAL, connection=str(connection_id)).values_list(
            "request_id", "kind"
        )
        if intents
        else ()
    )
    kept = tuple(row for row in shown if row.phase != Phase.INTENT or (row.request_id, row.kind) not in finished)
    return Page(kept, older)


def search(**filters: Unpack[Filters]) -> QuerySet[Event]:
    """Events that match every given filter, newest first; slice it or page it with `before_cursor`."""
    lookups: dict[str, object] = {}
    names = {"subjects": "subject__in", "since": "timestamp__gte", "until": "timestamp__lt"}
    for name, value in filters.items():
        lookups[names.get(name, name)] = value
    return Event.newest_first().filter(**lookups)
