"""Where a call stands in a trace (W3C Trace Context): continued when the caller has one, begun when not."""

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"\A00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z")
_LOWER_64 = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Trace:
    """Ids as lower-case hex; `parent_id` is the caller's span, "" without one.

    `span_id` is the call at this gateway, `sent_id` the request to the backend, whose parent it is.
    """

    trace_id: str
    parent_id: str
    span_id: str
    sent_id: str
    flags: str

    @property
    def traceparent(self) -> str:
        """What the backend is told (section 3.2)."""
        return f"00-{self.trace_id}-{self.sent_id}-{self.flags}"

    @property
    def is_sampled(self) -> bool:
        """Whether somebody keeps it (section 3.2.2.5.1)."""
        return bool(int(self.flags, 16) & 1)


def never(_trace: int) -> bool:
    """Keep no trace."""
    return False


def trace_of(headers: Iterable[tuple[bytes, bytes]], *, samples: Callable[[int], bool] = never) -> Trace:
    """The caller's trace with spans of our own; a new one when it sent none, two, or nonsense."""
    values = [value for name, value in headers if name == b"traceparent"]
    spans = f"{random.getrandbits(128):032x}"
    if len(values) == 1 and _TRACEPARENT.match(value := values[0].decode("latin-1")):
        # Whether it is kept was decided where it began
        return Trace(value[3:35], value[36:52], spans[:16], spans[16:], value[53:])
    trace = random.getrandbits(128)
    return Trace(f"{trace:032x}", "", spans[:16], spans[16:], "01" if samples(trace & _LOWER_64) else "00")
