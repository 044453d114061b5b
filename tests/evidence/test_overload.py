"""More than one worker carries: those it does not take hear so at once, and when it is over all are served."""

import itertools
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.attacks.gateway.field import JOBS, Field
from tests.evidence.load import Heard, together

SECONDS = 10.0


def marks(seconds: float) -> Iterator[str]:
    """Marks until the time is over."""
    until = time.monotonic() + seconds
    return itertools.takewhile(lambda _mark: time.monotonic() < until, (f"m{number}" for number in itertools.count()))


def carried(found: list[Heard]) -> int:
    """How many were answered with what they asked."""
    return sum(heard.status == 200 and heard.mark.encode() in heard.body for heard in found)


@pytest.mark.services
def test_three_times_what_it_takes(field: Field) -> None:
    def request(mark: str) -> bytes:
        return field.get(f"{JOBS}/v1/jobs?{mark}")

    alone = together(field.port, marks(SECONDS), request, callers=32)
    flooded = together(field.port, marks(SECONDS), request, callers=700)
    print(f"32 callers: {carried(alone) / SECONDS:.0f}/s; 700: {carried(flooded) / SECONDS:.0f}/s", end=" ")
    print(Counter(heard.status for heard in flooded))
    assert {heard.status for heard in alone} == {200}
    assert {heard.status for heard in flooded} <= {0, 200, 503}
    assert all(heard.header("retry-after") for heard in flooded if heard.status == 503)
    assert carried(flooded) == sum(heard.status == 200 for heard in flooded)
    field.healthy(200)
