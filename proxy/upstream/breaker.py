"""Circuit breaker: a backend that only fails is left alone for a while, and callers hear it at once."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from proxy.catalogue.snapshot import BackendPlan
from proxy.refusals import BackendFault, BreakerOpen, DeadlinePassed
from proxy.upstream.transport import Transport, UpstreamRequest, UpstreamResponse

# Faults in a row that open it, and how long it stays open: twice as long after every probe that failed
FAULTS = 5
OPEN_S = 2.0
OPEN_MAX_S = 60.0


@dataclass(slots=True)
class _Breaker:
    """Closed while `faults` are few; open until `until`; half-open while one probe is under way."""

    faults: int = 0
    until: float = 0.0
    open_s: float = OPEN_S
    is_probing: bool = False

    def admit(self, now: float) -> bool:
        """Let a call through, or not; returns whether it is the probe.

        Raises:
            BreakerOpen: not now.
        """
        if self.faults < FAULTS:
            return False
        if self.is_probing or now < self.until:
            raise BreakerOpen(retry_after_s=max(1, round(self.until - now)))
        self.is_probing = True
        return True

    def succeeded(self) -> None:
        """The backend answered, whatever it said."""
        self.faults, self.open_s, self.is_probing = 0, OPEN_S, False

    def failed(self, now: float, *, was_probe: bool) -> None:
        """The backend did not answer."""
        self.faults += 1
        if was_probe:
            self.is_probing = False
            self.open_s = min(2 * self.open_s, OPEN_MAX_S)
        if self.faults >= FAULTS:
            self.until = now + self.open_s


class BreakingTransport:
    """A transport behind one breaker for each backend."""

    def __init__(self, transport: Transport, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._transport = transport
        self._clock = clock
        self._breakers: dict[str, _Breaker] = {}

    async def send(self, backend: BackendPlan, request: UpstreamRequest) -> UpstreamResponse:
        """The answer, as soon as its head is there.

        Raises:
            BreakerOpen: the backend has only failed lately.
        """
        breaker = self._breakers.setdefault(backend.name, _Breaker())
        is_probe = breaker.admit(self._clock())
        try:
            response = await self._transport.send(backend, request)
        except (BackendFault, DeadlinePassed):
            breaker.failed(self._clock(), was_probe=is_probe)
            raise
        except BaseException:
            # The caller left, or its body was at fault: that says nothing about the backend, the next call may probe
            breaker.is_probing = breaker.is_probing and not is_probe
            raise
        breaker.succeeded()
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()
