"""More calls than it carries, for a while: `python -m tests.evidence.overload [seconds]` prints what comes of it.

First callers who wait for their answer say how much it carries. Then a quarter of that is asked, three times as much as
it carries, and the quarter again: whoever is not taken hears so at once, and hardly less is carried than alone.
"""

import os
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.attacks.gateway.field import CROWD, JOBS, Field
from tests.attacks.gateway.gateways import ours
from tests.attacks.gateway.memory import family
from tests.evidence.arrivals import MARK, at_rate, in_turn
from tests.evidence.load import Heard

CAPACITY_CALLERS = 32
# Of what it carries, how much is asked before and after, and how much meanwhile
CALM, TIMES = 0.25, 3.0
# Before and after, of the seconds under load
PART = 4


@dataclass(frozen=True, kw_only=True)
class Period:
    """What was heard in `seconds`, and how often the backend was asked."""

    seconds: float
    heard: list[Heard]
    asked: int

    @property
    def carried(self) -> list[Heard]:
        """Those that were answered with what they asked."""
        return [one for one in self.heard if one.status == 200 and one.mark.encode() in one.body]

    @property
    def statuses(self) -> Counter[int]:
        """How often each; 0 is a connection that ended."""
        return Counter(one.status for one in self.heard)

    def percentile_s(self, percent: int) -> float:
        """How long so many of the carried took at most."""
        return statistics.quantiles((one.took_s for one in self.carried), n=100)[percent - 1]

    @property
    def carried_per_second(self) -> float:
        """How many."""
        return len(self.carried) / self.seconds

    def __str__(self) -> str:
        return (
            f"{len(self.heard) / self.seconds:.0f}/s asked, {self.carried_per_second:.0f}/s carried in "
            f"{1000 * self.percentile_s(50):.0f} ms ({1000 * self.percentile_s(95):.0f} at the 95th percentile), "
            f"{self.asked} at the backend, {dict(self.statuses)}"
        )


@dataclass(frozen=True, kw_only=True)
class Overload:
    """As much as it carries, a quarter of that, three times that, and the quarter again."""

    capacity: Period
    before: Period
    during: Period
    after: Period

    @property
    def kept(self) -> float:
        """Which part of its capacity it still carries when asked for so much more."""
        return self.during.carried_per_second / self.capacity.carried_per_second

    @property
    def asked_twice(self) -> float:
        """How much more often the backend was asked than was carried; lost connections had reached it too."""
        return self.during.asked / (len(self.during.carried) + self.during.statuses[0]) - 1

    def __str__(self) -> str:
        periods = (f"{name:9} {getattr(self, name)}" for name in ("capacity", "before", "during", "after"))
        return "\n".join((*periods, f"{self.kept:.0%} of its capacity, {self.asked_twice:.1%} asked twice"))


def overload(field: Field, *, seconds: float) -> Overload:
    """All four, one after the other."""
    capacity = _period(field, seconds / PART, partial(in_turn, callers=CAPACITY_CALLERS))
    calm, much = capacity.carried_per_second * CALM, capacity.carried_per_second * TIMES
    return Overload(
        capacity=capacity,
        before=_period(field, seconds / PART, partial(at_rate, per_second=calm)),
        during=_period(field, seconds, partial(at_rate, per_second=much)),
        after=_period(field, seconds / PART, partial(at_rate, per_second=calm)),
    )


def _period(field: Field, seconds: float, ask: Callable[..., list[Heard]]) -> Period:
    before = len(field.backend.arrived)
    # Of many people: one alone gets no more than half of a backend's places
    requests = [field.get(f"{JOBS}/v1/jobs?{MARK}", token=name) for name in CROWD]
    heard = ask(field.port, requests, seconds=seconds)
    return Period(seconds=seconds, heard=heard, asked=len(field.backend.arrived) - before)


def _apart(field: Field) -> None:
    """Leave the gateway a processor of its own, where there is more than one."""
    others = os.sched_getaffinity(0)
    own = others.pop()
    if others:
        os.sched_setaffinity(0, others)
        for process in family(field.process_id):
            for thread in Path(f"/proc/{process}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {own})


def main(seconds: float = 60.0) -> None:
    """Print them."""
    with tempfile.TemporaryDirectory() as name, ours(Path(name) / "gateway") as field:
        _apart(field)
        print(overload(field, seconds=seconds))


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
