"""More than the gateway carries, for a while: `python -m tests.evidence.overload [seconds]` prints what comes of it.

Callers on connections of their own ask again as soon as they are answered, refused ones too: first as many as are
served at once, then so many that most are refused, then the few again.
"""

import itertools
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.gateway.field import JOBS, Field
from tests.attacks.gateway.gateways import ours
from tests.evidence.load import Heard, together

FEW, MANY = 32, 700
# Before and after, of the seconds under load
PART = 4


@dataclass(frozen=True, kw_only=True)
class Period:
    """What `callers` heard in `seconds`, and how often the backend was asked."""

    callers: int
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

    def __str__(self) -> str:
        rate, median = len(self.carried) / self.seconds, statistics.median(one.took_s for one in self.carried)
        return (
            f"{self.callers} callers: {len(self.heard) / self.seconds:.0f}/s asked, {rate:.0f}/s carried in "
            f"{1000 * median:.0f} ms (median), {self.asked} at the backend, {dict(self.statuses)}"
        )


def periods(field: Field, *, seconds: float) -> list[Period]:
    """Before, during and after."""
    return [
        period(field, seconds=seconds / PART, callers=FEW),
        period(field, seconds=seconds, callers=MANY),
        period(field, seconds=seconds / PART, callers=FEW),
    ]


def period(field: Field, *, seconds: float, callers: int) -> Period:
    """One of them."""
    before = len(field.backend.arrived)
    heard = together(field.port, _marks(seconds), lambda mark: field.get(f"{JOBS}/v1/jobs?{mark}"), callers=callers)
    return Period(callers=callers, seconds=seconds, heard=heard, asked=len(field.backend.arrived) - before)


def _marks(seconds: float) -> Iterator[str]:
    until = time.monotonic() + seconds
    return itertools.takewhile(lambda _mark: time.monotonic() < until, (f"m{number}" for number in itertools.count()))


def main(seconds: float = 60.0) -> None:
    """Print the three."""
    with tempfile.TemporaryDirectory() as name, ours(Path(name) / "gateway") as field:
        before, during, after = periods(field, seconds=seconds)
    print(before, during, after, sep="\n")
    kept = len(during.carried) / during.seconds / (len(before.carried) / before.seconds)
    print(f"{kept:.0%} of what it carries alone, {during.asked / len(during.carried) - 1:.1%} asked twice")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
