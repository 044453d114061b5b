"""Circuit breaker: a backend that only fails is left alone for a while, and callers hear it at once.

An answer counts as one when its head is there; if its body then breaks off or stays out, it was a fault after all.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from proxy.catalogue.plans import BackendPlan
from proxy.refusals import BackendFault, BreakerOpen, DeadlinePassed
from proxy.upstream.transport import Transport, UpstreamRequest, UpstreamResponse

# It opens after so many faults in a row, or when half of no fewer than twenty calls within ten seconds failed
FAULTS = 5
WINDOW_S = 10.0
WINDOW_CALLS = 20
WINDOW_FAULTS = 0.5
# How long it stays open: twice as long after every probe that failed
OPEN_S = 15.0
OPEN_MAX_S = 300.0
# What a backend that is down or drowning says through whatever stands before it
FAULTY_STATUS = frozenset({502, 503, 504})

Changed = Callable[[BackendPlan, bool], None]


@dataclass(slots=True)
class _Window:
    """Calls and faults of the last five to ten seconds: of the half under way and of the one before."""

    since: float = float("-inf")
    calls: int = 0
    faults: int = 0
    calls_before: int = 0
    faults_before: int = 0

    def add(self, now: float, *, is_fault: bool) -> None:
        """One more call."""
        if now - self.since >= WINDOW_S / 2:
            is_next = now - self.since < WINDOW_S
            self.calls_before, self.faults_before = (self.calls, self.faults) if is_next else (0, 0)
            self.since, self.calls, self.faults = now, 0, 0
        self.calls += 1
        self.faults += is_fault

    @property
    def is_bad(self) -> bool:
        """Whether too large a share failed."""
        calls = self.calls + self.calls_before
        return calls >= WINDOW_CALLS and self.faults + self.faults_before >= WINDOW_FAULTS * calls


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong last: the reason of a refusal, or `status_503`; `at` is in seconds since the epoch."""

    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class BreakerState:
    """A breaker as staff see it; `opens_in_s` is how long the backend is still left alone."""

    is_open: bool = False
    opens_in_s: float = 0.0
    last_fault: Fault | None = None


class _Breaker:
    """Closed while few calls fail; open until `until`; half-open while one probe is under way.

    It watches the bodies of the answers of `backend`, as the catalogue last had it.
    """

    __slots__ = (
        "_broken", "_changed", "_clock", "_faults", "_open_s", "_until", "_window", "backend", "is_open", "is_probing",
        "last_fault",
    )  # fmt: skip

    def __init__(self, backend: BackendPlan, *, changed: Changed, clock: Callable[[], float]) -> None:
        self.backend = backend
        self.is_open = self.is_probing = False
        self.last_fault: Fault | None = None
        self._changed = changed
        self._clock = clock
        # In a row: faults, and those of them that were a body's
        self._faults = self._broken = 0
        self._until = 0.0
        self._open_s = OPEN_S
        self._window = _Window()

    def state(self, now: float) -> BreakerState:
        """As staff see it."""
        return BreakerState(self.is_open, max(0.0, self._until - now) if self.is_open else 0.0, self.last_fault)

    def admit(self, now: float) -> bool:
        """Let a call through, or not; returns whether it is the probe.

        Raises:
            BreakerOpen: not now.
        """
        if not self.is_open:
            return False
        if self.is_probing or now < self._until:
            raise BreakerOpen(retry_after_s=max(1, round(self._until - now)))
        self.is_probing = True
        return True

    def succeeded(self, now: float, *, was_probe: bool) -> bool:
        """The backend answered as itself; returns whether that closed it. Of an open one only the probe says so."""
        if self.is_open and not was_probe:
            return False
        # A good head makes up for no body that broke off: its own may do the same
        self._faults = self._broken
        if not was_probe:
            self._window.add(now, is_fault=False)
            return False
        self.is_open = self.is_probing = False
        self._open_s, self._window = min(2 * self._open_s, OPEN_MAX_S) if self._broken else OPEN_S, _Window()
        return True

    def failed(self, now: float, *, was_probe: bool) -> bool:
        """The backend did not answer, or somebody before it did; returns whether that opened it (again)."""
        if self.is_open and not was_probe:
            return False
        self._faults += 1
        self._window.add(now, is_fault=True)
        if was_probe:
            self._open_s = min(2 * self._open_s, OPEN_MAX_S)
        elif self._faults < FAULTS and not self._window.is_bad:
            return False
        self._open(now)
        return True

    def ended(self) -> None:
        """The body of an answer came whole."""
        if self._broken:
            self._faults -= min(self._faults, self._broken)
            self._broken = 0
            self._open_s = self._open_s if self.is_open else OPEN_S

    def broke(self, reason: str) -> None:
        """The body of an answer did not, after its head had counted as a success."""
        self.last_fault = Fault(reason, time.time())
        self._broken += 1
        if self.is_open:
            return
        self._faults += 1
        self._window.faults += 1
        if self._faults >= FAULTS or self._window.is_bad:
            self._open(self._clock())
            self._changed(self.backend, self.is_open)

    def _open(self, now: float) -> None:
        self.is_open, self.is_probing = True, False
        self._until = now + self._open_s


class BreakingTransport:
    """A transport behind one breaker for each backend's address; `changed` hears when one opens or closes."""

    def __init__(
        self, transport: Transport, *, changed: Changed | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._transport = transport
        self._changed = changed or (lambda _backend, _is_open: None)
        self._clock = clock
        self._breakers: dict[tuple[str, str], _Breaker] = {}

    async def send(self, backend: BackendPlan, request: UpstreamRequest) -> UpstreamResponse:
        """The answer, as soon as its head is there.

        Raises:
            BreakerOpen: the backend has only failed lately.
        """
        breaker = self._breakers.get((backend.name, backend.upstream_url)) or self._new(backend)
        breaker.backend = backend
        is_probe = breaker.admit(self._clock())
        try:
            response = await self._transport.send(backend, request)
        except (BackendFault, DeadlinePassed) as fault:
            breaker.last_fault = Fault(fault.reason, time.time())
            self._note(breaker, backend, is_fault=True, was_probe=is_probe)
            raise
        except BaseException:
            # The caller left, or its body was at fault: that says nothing about the backend, the next call may probe
            breaker.is_probing = breaker.is_probing and not is_probe
            raise
        is_fault = response.status in FAULTY_STATUS
        if is_fault:
            breaker.last_fault = Fault(f"status_{response.status}", time.time())
        self._note(breaker, backend, is_fault=is_fault, was_probe=is_probe)
        if not is_fault:
            response.watch(breaker)
        return response

    def state_of(self, backend: str, upstream_url: str) -> BreakerState | None:
        """How the backend stands; None when this process has not called it yet."""
        breaker = self._breakers.get((backend, upstream_url))
        return breaker.state(self._clock()) if breaker else None

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def _new(self, backend: BackendPlan) -> _Breaker:
        breaker = _Breaker(backend, changed=self._changed, clock=self._clock)
        self._breakers[backend.name, backend.upstream_url] = breaker
        return breaker

    def _note(self, breaker: _Breaker, backend: BackendPlan, *, is_fault: bool, was_probe: bool) -> None:
        tell = breaker.failed if is_fault else breaker.succeeded
        if tell(self._clock(), was_probe=was_probe):
            self._changed(backend, breaker.is_open)
