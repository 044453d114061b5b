"""Close what a process that died left open: an intent without an outcome becomes one that nobody knows.

A call that is still under way anywhere must not be touched, so an intent is left alone until no call may run that
long; and of the processes that share the ledger one at a time does the work, once for every intent.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from threading import Thread
from typing import Final
from uuid import UUID, uuid5

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from audit.ledger.kinds import Decision, Phase
from audit.ledger.models import ClosingMark, Event

# The reason of a second intent, which says that the call became a stream and may last so much longer
STREAMING = "streaming"
STREAM_MAX: Final = timedelta(hours=1)
EVERY_S = 15.0
# Clocks of replicas differ, and an event is written a moment after its time
OVERLAP: Final = timedelta(minutes=1)
MARGIN: Final = timedelta(seconds=10)
FIRST_LOOK: Final = timedelta(days=7)
# An intent's closing event has an id of its own, always the same: a second one would not be written
_CLOSING: Final = UUID("5b1f3a52-6c0e-4a53-9d7e-3d4f4f0f6f10")
_FORGOTTEN = frozenset({"id", "phase", "timestamp", "decision", "reason"})
_COPIED = tuple(field.attname for field in Event._meta.concrete_fields if field.attname not in _FORGOTTEN)
log = structlog.get_logger(__name__)


def close_unfinished(*, longest: timedelta) -> int:
    """Give every intent older than `longest`, the longest time a call may take, a final event if it has none.

    Returns how many; 0 also when another process is at it. Raises DatabaseError.
    """
    horizon = datetime.now(UTC) - longest - MARGIN
    mark, _made = ClosingMark.objects.get_or_create(pk=1, defaults={"until": horizon - FIRST_LOOK})
    if horizon - mark.until < timedelta(seconds=EVERY_S / 2):
        return 0
    with transaction.atomic():
        locked = ClosingMark.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if locked is None:
            return 0
        closed = 0
        for intent in _unfinished(since=locked.until - OVERLAP, until=horizon):
            closed += _close(intent)
        locked.until = max(locked.until, horizon)
        locked.save(update_fields=["until"])
    return closed


def _unfinished(*, since: datetime, until: datetime) -> list[Event]:
    same = Event.objects.filter(request_id=OuterRef("request_id"), kind=OuterRef("kind"))
    ended = Exists(same.filter(phase=Phase.FINAL))
    intents: QuerySet[Event] = Event.objects.filter(phase=Phase.INTENT).exclude(ended)
    streams = Exists(same.filter(phase=Phase.INTENT, reason=STREAMING))
    calls = intents.filter(timestamp__gte=since, timestamp__lt=until, reason="").exclude(streams)
    long_ones = intents.filter(
        timestamp__gte=since - STREAM_MAX, timestamp__lt=until - STREAM_MAX, reason=STREAMING
    )  # fmt: skip
    return [*calls.order_by("timestamp", "id"), *long_ones.order_by("timestamp", "id")]


def _close(intent: Event) -> int:
    known = {name: getattr(intent, name) for name in _COPIED}
    Event(
        id=uuid5(_CLOSING, f"{intent.kind} {intent.request_id}"),
        phase=Phase.FINAL,
        decision=Decision.ERROR,
        reason="outcome_unknown",
        **known,
    ).save()
    return 1


class UnfinishedCalls:
    """Closes them now and again, in a thread of its own; `longest` says how long a call may take now."""

    def __init__(self, *, longest: Callable[[], timedelta]) -> None:
        self._ask = longest
        self._longest = timedelta(0)
        self._stopping = Flag()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin, with what processes before this one left."""
        self._stopping.clear()
        self._thread = Thread(target=self._run, name="audit-closing", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(5)
            self._thread = None

    def _run(self) -> None:
        while True:
            # A call that began before staff gave its backend less time still has the time it had
            self._longest = max(self._longest, self._ask())
            try:
                closed = close_unfinished(longest=self._longest)
            except DatabaseError as fault:
                log.warning("unfinished_calls_not_closed", fault=type(fault).__name__)
            else:
                if closed:
                    log.warning("unfinished_calls_closed", number=closed)
            connection.close()
            if self._stopping.wait(EVERY_S):
                return
