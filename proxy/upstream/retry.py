"""One more try where it can do no harm: within a budget, after a short random wait, never past the deadline."""

import asyncio
import random
import time
from collections.abc import Callable

from proxy.catalogue.plans import BackendPlan
from proxy.refusals import BackendClosed, BackendUnreachable, ConnectTimeout, Refusal
from proxy.upstream.transport import Headers, Transport, UpstreamRequest, UpstreamResponse

# Full jitter: callers whom one fault hit do not come back together
WAIT_MIN_S, WAIT_MAX_S = 0.05, 0.25
# A backend that wants more time than this is not asked again by us: the caller hears its Retry-After
PATIENCE_S = 1.0
RETRIED_STATUS = frozenset({502, 503, 504})
# What repetitions may add to a backend's load: a tenth of its calls, and three a second for those with few
SHARE = 0.1
SHARE_MAX = 50.0
PER_S = 3.0


class RetryBudget:
    """Repetitions that one backend may still get from this process."""

    __slots__ = ("_clock", "_earned", "_read_at", "_spare")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._earned = 0.0
        self._spare = PER_S
        self._read_at = clock()

    def earn(self) -> None:
        """A call is made."""
        self._earned = min(self._earned + SHARE, SHARE_MAX)

    def spend(self) -> bool:
        """Take one repetition; False when none is left."""
        now = self._clock()
        self._spare = min(self._spare + PER_S * (now - self._read_at), PER_S)
        self._read_at = now
        if self._earned >= 1:
            self._earned -= 1
        elif self._spare >= 1:
            self._spare -= 1
        else:
            return False
        return True


class _Course:
    """What is known of one backend: its budget, and about how long half of its answers take."""

    __slots__ = ("budget", "median_s")

    def __init__(self, clock: Callable[[], float]) -> None:
        self.budget = RetryBudget(clock)
        self.median_s = 0.0

    def took(self, elapsed_s: float) -> None:
        """Move the median a little towards one more answer."""
        step = max(self.median_s * 0.05, 0.0005)
        self.median_s += step if elapsed_s > self.median_s else -min(step, self.median_s)


class RetryingTransport:
    """A transport that sends a request a second time when nothing of an answer came, or a 502, 503 or 504.

    Only requests that say they may be repeated; the count is on the answer, or on the refusal, as `retries`.
    """

    def __init__(self, transport: Transport, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._transport = transport
        self._clock = clock
        self._courses: dict[str, _Course] = {}

    async def send(self, backend: BackendPlan, request: UpstreamRequest) -> UpstreamResponse:
        """The answer to the first or the second try, as soon as its head is there."""
        course = self._courses.get(backend.name) or self._courses.setdefault(backend.name, _Course(self._clock))
        course.budget.earn()
        began = self._clock()
        try:
            response = await self._transport.send(backend, request)
        except (BackendUnreachable, BackendClosed, ConnectTimeout):
            wait_s = _wait_s(course, request, asked_s=0.0)
            if wait_s is None:
                raise
        else:
            if response.status not in RETRIED_STATUS:
                course.took(self._clock() - began)
                return response
            wait_s = _wait_s(course, request, asked_s=_retry_after_s(response.headers))
            if wait_s is None:
                return response
            await response.aclose()
        return await self._again(backend, request, wait_s)

    def median_s(self, backend: str) -> float:
        """About how long half of its answers took lately, in seconds; 0 before the first."""
        course = self._courses.get(backend)
        return course.median_s if course else 0.0

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def _again(self, backend: BackendPlan, request: UpstreamRequest, wait_s: float) -> UpstreamResponse:
        await asyncio.sleep(wait_s)
        try:
            response = await self._transport.send(backend, request)
        except Refusal as refusal:
            refusal.retries = 1
            raise
        response.retries = 1
        return response


def _wait_s(course: _Course, request: UpstreamRequest, *, asked_s: float) -> float | None:
    """How long to wait before the second try; None when there is to be none."""
    if not request.may_repeat or asked_s > PATIENCE_S:
        return None
    wait_s = max(random.uniform(WAIT_MIN_S, WAIT_MAX_S), asked_s)  # noqa: S311 - spreads load, hides nothing
    left_s = request.deadline - asyncio.get_running_loop().time() - wait_s
    # A try that will be cut off is load without an answer
    if left_s <= max(2 * course.median_s, 0.0) or not course.budget.spend():
        return None
    return wait_s


def _retry_after_s(headers: Headers) -> float:
    """The seconds of Retry-After (RFC 9110 section 10.2.3), 0 without one; a date, or nonsense, is a long time."""
    value = next((value.strip() for name, value in headers if name == "retry-after"), "0")
    return float(value) if value.isascii() and value.isdigit() and len(value) <= 6 else float("inf")
