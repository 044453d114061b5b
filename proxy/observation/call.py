"""What is told of a call once it is over, and to whom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from audit.ledger.events import Draft
from proxy.observation.trace import Trace, never

# In the order of the work: where the path leads, the stages, the intent, the backend's head, its body, the last event
STAGES: Final = (
    "locate", "identify", "transform", "validate", "constrain", "intent", "route", "answer", "record",
)  # fmt: skip
LOCATE, IDENTIFY, TRANSFORM, VALIDATE, CONSTRAIN, INTENT, ROUTE, ANSWER, RECORD = range(len(STAGES))


@dataclass(slots=True)
class Ended:
    """A call that is over. `draft` is its event; of that nothing may go on that names a person, a client or a path.

    `started` and `marks`, the ends of the stages it came through, are times of the monotonic clock, in seconds.
    `refused_in` is the stage that said no, None when the backend's answer went out.
    """

    draft: Draft
    started: float
    marks: Sequence[float]
    refused_in: int | None
    trace: Callable[[], Trace]


Observer = Callable[[Ended], None]


@dataclass(frozen=True, slots=True)
class Observation:
    """Who hears of each call, and which new traces are kept (by the lower 64 bits of their id)."""

    observers: tuple[Observer, ...] = ()
    samples: Callable[[int], bool] = never
