"""The numbers of one process: how many, and how long. Counted on the event loop, so there is nothing to lock."""

from bisect import bisect_left
from typing import Final

from audit.ledger.kinds import Decision
from proxy.observation.call import CONSTRAIN, STAGES, Ended

# Upper ends, in seconds
BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
                  30.0)  # fmt: skip
# Operations that are told apart; a larger catalogue would be more series than a Prometheus should keep
OPERATIONS_MAX: Final = 1000
OTHER: Final = "other"
STATUS_MIN, SERVER_ERROR, STATUS_MAX = 100, 500, 599
_MICROSECONDS = 1_000_000
_LIMITER: Final = frozenset({"rate_limited", "overloaded"})

# The metric, then the values of its labels
Key = tuple[str, ...]


class Counts:
    """Counters and histograms by metric and labels; no label has a value that a caller can choose."""

    def __init__(self, *, operations_max: int = OPERATIONS_MAX) -> None:
        self.counters: dict[Key, int] = {}
        # The sum of all, then how many in each bucket
        self.histograms: dict[Key, list[float]] = {}
        self._operations_max = operations_max
        self._operations: dict[tuple[str, str], tuple[str, str]] = {}

    def add(self, *key: str, by: int = 1) -> None:
        """Count."""
        self.counters[key] = self.counters.get(key, 0) + by

    def took(self, key: Key, seconds: float) -> None:
        """One more that took so long."""
        histogram = self.histograms.get(key)
        if histogram is None:
            histogram = self.histograms[key] = [0.0] * (len(BUCKETS) + 2)
        histogram[0] += seconds
        histogram[bisect_left(BUCKETS, seconds) + 1] += 1

    def ended(self, call: Ended) -> None:
        """A call is over."""
        draft = call.draft
        backend, operation = self._named(draft.backend, draft.operation)
        self.add("requests", backend, operation, draft.decision.value, _status(draft.status))
        before = call.started
        for stage, mark in zip(STAGES, call.marks, strict=False):
            if mark != before:
                self.took(("stage_seconds", stage), mark - before)
                before = mark
        self.took(("request_seconds", backend), before - call.started)
        if draft.upstream_latency_us is not None:
            self.took(("upstream_seconds", backend), draft.upstream_latency_us / _MICROSECONDS)
        if draft.retries:
            self.add("retries", backend, by=draft.retries)
        if draft.reason in _LIMITER:
            self.add("limiter", draft.reason)
        elif draft.backend and (call.refused_in is None or call.refused_in > CONSTRAIN):
            self.add("limiter", "allowed")

    def refused(self, *, status: int, reason: str) -> None:
        """A call that came no further than the front door."""
        decision = Decision.ERROR if status >= SERVER_ERROR else Decision.DENY
        self.add("requests", "", "", decision.value, _status(status))
        if reason in _LIMITER:
            self.add("limiter", reason)

    def _named(self, backend: str, operation: str) -> tuple[str, str]:
        key = (backend, operation)
        known = self._operations.get(key)
        if known is None:
            if len(self._operations) >= self._operations_max:
                return OTHER, OTHER
            known = self._operations[key] = key
        return known


def _status(status: int | None) -> str:
    if status is None:
        return "none"
    return str(status) if STATUS_MIN <= status <= STATUS_MAX else OTHER
