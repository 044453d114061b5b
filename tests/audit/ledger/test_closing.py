"""What a dead process left open is closed once; what still runs anywhere is left alone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.ledger.closing import MARGIN, STREAM_MAX, STREAMING, UnfinishedCalls, close_unfinished
from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.models import ClosingMark, Event
from tests.at_once import at_once
from tests.own_database import own_database

__all__ = ["own_database"]

OUTCOME_UNKNOWN = "outcome_unknown"
LONGEST = timedelta(seconds=30)
OLD = LONGEST + MARGIN + timedelta(seconds=1)


def event(request_id: str, *, age: timedelta, phase: Phase = Phase.INTENT, **fields: Any) -> Event:
    """An event of a call that began so long ago."""
    return Event.objects.create(
        kind=Kind.PROXY_CALL_DECIDED,
        phase=phase,
        request_id=request_id,
        timestamp=timezone.now() - age,
        method="POST",
        **fields,
    )


def finals(request_id: str) -> list[Event]:
    """How a call ended."""
    return list(Event.objects.filter(request_id=request_id, phase=Phase.FINAL))


@pytest.mark.django_db
def test_an_intent_without_an_outcome_gets_one_that_nobody_knows() -> None:
    left = event("left", age=OLD, subject="a" * 32, client_id="client-1", backend="jobs", operation="apply")
    assert close_unfinished(longest=LONGEST) == 1
    (final,) = finals("left")
    assert (final.decision, final.reason, final.status) == (Decision.ERROR, OUTCOME_UNKNOWN, None)
    assert (final.subject, final.client_id, final.backend) == (left.subject, "client-1", "jobs")
    assert final.timestamp > left.timestamp


@pytest.mark.django_db
def test_what_may_still_run_or_has_ended_is_left_alone() -> None:
    event("young", age=OLD - timedelta(seconds=5))
    event("ended", age=OLD)
    event("ended", age=OLD, phase=Phase.FINAL)
    event("stream", age=OLD)
    event("stream", age=OLD, reason=STREAMING)
    event("of another kind", age=OLD, phase=Phase.FINAL)
    assert close_unfinished(longest=LONGEST) == 0
    assert not Event.objects.filter(reason=OUTCOME_UNKNOWN).exists()


@pytest.mark.django_db
def test_a_stream_is_left_open_only_as_long_as_a_stream_may_last() -> None:
    event("stream", age=OLD + STREAM_MAX)
    event("stream", age=OLD + STREAM_MAX, reason=STREAMING)
    assert close_unfinished(longest=LONGEST) == 1
    assert len(finals("stream")) == 1


@pytest.mark.django_db
def test_it_is_done_once_and_what_comes_later_is_found() -> None:
    event("first", age=OLD)
    assert close_unfinished(longest=LONGEST) == 1
    assert close_unfinished(longest=LONGEST) == 0
    # As if half a minute had passed
    mark = ClosingMark.objects.get()
    mark.until -= timedelta(seconds=30)
    mark.save()
    event("second", age=OLD)
    assert close_unfinished(longest=LONGEST) == 1
    assert [len(finals(name)) for name in ("first", "second")] == [1, 1]


@pytest.mark.django_db
def test_a_late_outcome_stands_beside_it() -> None:
    """A process that only seemed dead: what it knows is added, nothing is changed."""
    event("zombie", age=OLD)
    close_unfinished(longest=LONGEST)
    event("zombie", age=timedelta(0), phase=Phase.FINAL, status=200)
    assert len(finals("zombie")) == 2


@pytest.fixture
def started(own_database: None) -> Iterator[list[UnfinishedCalls]]:
    """Closers that run, as in several processes."""
    del own_database
    made: list[UnfinishedCalls] = []
    yield made
    for each in made:
        each.stop()


def test_a_process_that_starts_closes_what_the_one_before_left(started: list[UnfinishedCalls]) -> None:
    event("left", age=OLD)
    closer = UnfinishedCalls(longest=lambda: LONGEST)
    started.append(closer)
    closer.start()
    closer.stop()
    assert len(finals("left")) == 1


@pytest.mark.services
@pytest.mark.usefixtures("own_database")
def test_of_many_processes_at_once_each_intent_is_closed_once() -> None:
    for number in range(50):
        event(f"left {number}", age=OLD)
    for number in range(10):
        event(f"live {number}", age=timedelta(seconds=1))
    counts = at_once([lambda: close_unfinished(longest=LONGEST)] * 6)
    assert sum(counts) == 50
    assert [len(finals(f"left {number}")) for number in range(50)] == [1] * 50
    assert Event.objects.filter(reason=OUTCOME_UNKNOWN).count() == 50
