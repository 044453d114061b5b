"""The numbers of one process: how many, and how long. Counted on the event loop, so there is nothing to lock."""

from bisect import bisect_left
from functools import lru_cache
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
_LIMITER: Final = frozenset({"rate_limited", "too_many_calls", "overloaded"})

_ALLOWED: Final = ("limiter", "allowed")

# The metric, then the values of its labels
Key = tuple[str, ...]


class Counts:
    """Counters and histograms by metric and labels; no label has a value that a caller can choose."""

    def __init__(self, *, operations_max: int = OPERATIONS_MAX) -> None:
        self.counters: dict[Key, int] = {}
        # The sum of all, then how many in each bucket
        self.histograms: dict[Key, list[float]] = {}
        self._operations_max = operations_max
        self._operations: set[tuple[str, str]] = set()
        self._keys: dict[tuple[str, str, Decision, int | None], Key] = {}
        self._stages = [self.histograms.setdefault(("stage_seconds", stage), _nothing()) for stage in STAGES]

    def add(self, *key: str, by: int = 1) -> None:
        """Count."""
        self.counters[key] = self.counters.get(key, 0) + by

    def took(self, key: Key, seconds: float) -> None:
        """One more that took so long."""
        histogram = self.histograms.get(key)
        if histogram is None:
            histogram = self.histograms[key] = _nothing()
        _add(histogram, seconds)

    def ended(self, call: Ended) -> None:
        """A call is over. On the way of every call, so written for its time."""
        draft, counters = call.draft, self.counters
        told = (draft.backend, draft.operation, draft.decision, draft.status)
        key = self._keys.get(told) or self._key(*told)
        counters[key] = counters.get(key, 0) + 1
        before = call.started
        for histogram, mark in zip(self._stages, call.marks, strict=False):
            if mark != before:
                _add(histogram, mark - before)
                before = mark
        self.took(("request_seconds", key[1]), before - call.started)
        if draft.upstream_latency_us is not None:
            self.took(("upstream_seconds", key[1]), draft.upstream_latency_us / _MICROSECONDS)
        if draft.retries:
            self.add("retries", key[1], by=draft.retries)
        if draft.reason in _LIMITER:
            self.add("limiter", draft.reason)
        elif draft.backend and (call.refused_in is None or call.refused_in > CONSTRAIN):
            counters[_ALLOWED] = counters.get(_ALLOWED, 0) + 1

    def refused(self, *, status: int, reason: str) -> None:
        """A call that came no further than the front door."""
        self.add(*_refused(status))
        if reason in _LIMITER:
            self.add("limiter", reason)

    def _key(self, backend: str, operation: str, decision: Decision, status: int | None) -> Key:
        named = (backend, operation)
        is_known = named in self._operations or len(self._operations) < self._operations_max
        backend, operation = named if is_known else (OTHER, OTHER)
        key = ("requests", backend, operation, decision.value, _status(status))
        if is_known:
            self._operations.add(named)
            self._keys[(*named, decision, status)] = key
        return key


def _nothing() -> list[float]:
    return [0.0] * (len(BUCKETS) + 2)


def _add(histogram: list[float], seconds: float) -> None:
    histogram[0] += seconds
    histogram[bisect_left(BUCKETS, seconds) + 1] += 1


@lru_cache(maxsize=64)
def _refused(status: int) -> Key:
    decision = Decision.ERROR if status >= SERVER_ERROR else Decision.DENY
    return ("requests", "", "", decision.value, _status(status))


def _status(status: int | None) -> str:
    if status is None:
        return "none"
    return str(status) if STATUS_MIN <= status <= STATUS_MAX else OTHER
