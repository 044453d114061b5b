"""A breaker: opens after faults in a row, says when to come back, lets one call look, closes when it is answered."""

import asyncio
from dataclasses import dataclass, field

import pytest

from proxy.catalogue.plans import BackendPlan
from proxy.refusals import BackendNonsense, BackendUnreachable, BreakerOpen, DeadlinePassed, TooLarge
from proxy.upstream.breaker import FAULTS, OPEN_MAX_S, OPEN_S, WINDOW_CALLS, WINDOW_S, BreakingTransport
from proxy.upstream.transport import BodyWatch, Headers, UpstreamRequest, UpstreamResponse
from tests.proxy.plans import backend_plan
from tests.proxy.upstream.calls import request


class Answered:
    """An answer nobody reads here."""

    headers: Headers = ()
    retries = 0
    is_ready = True

    def __init__(self, status: int) -> None:
        self.status = status
        self.body: BodyWatch | None = None

    def watch(self, watch: BodyWatch) -> None:
        """Keep it, for the test to say what becomes of the body."""
        self.body = watch

    def stalled(self) -> None:
        """Nothing."""

    async def read(self) -> bytes:
        """Nothing."""
        return b""

    async def aclose(self) -> None:
        """Nothing."""


@dataclass
class Scripted:
    """A transport that answers or fails as it is told, and a clock that moves when it is told."""

    fault: BaseException | None = None
    status: int = 500
    sent: int = 0
    now: float = 100.0
    last: Answered | None = None

    async def send(self, _backend: BackendPlan, _request: UpstreamRequest) -> UpstreamResponse:
        """Count, then do as told."""
        self.sent += 1
        if self.fault is not None:
            raise self.fault
        self.last = Answered(self.status)
        return self.last

    async def aclose(self) -> None:
        """Nothing."""

    def clock(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def backend() -> Scripted:
    return Scripted(fault=BackendUnreachable())


@pytest.fixture
def transport(backend: Scripted) -> BreakingTransport:
    return BreakingTransport(backend, clock=backend.clock)


async def call(transport: BreakingTransport, name: str = "jobs") -> int:
    return (await transport.send(backend_plan("http://127.0.0.1:1", name=name), request())).status


async def fail(transport: BreakingTransport, times: int = FAULTS) -> None:
    for _time in range(times):
        with pytest.raises((BackendUnreachable, BackendNonsense, DeadlinePassed)):
            await call(transport)


@pytest.mark.parametrize("fault", [BackendUnreachable(), BackendNonsense(), DeadlinePassed()])
async def test_faults_in_a_row_open_it(transport: BreakingTransport, backend: Scripted, fault: Exception) -> None:
    backend.fault = fault
    await fail(transport)
    with pytest.raises(BreakerOpen) as refusal:
        await call(transport)
    assert refusal.value.status == 503
    assert dict(refusal.value.headers)["retry-after"] == str(round(OPEN_S))
    assert backend.sent == FAULTS


async def test_an_answer_in_between_starts_the_count_anew(transport: BreakingTransport, backend: Scripted) -> None:
    await fail(transport, FAULTS - 1)
    backend.fault = None
    assert await call(transport) == 500
    backend.fault = BackendUnreachable()
    await fail(transport, FAULTS - 1)
    backend.fault = None
    assert await call(transport) == 500


async def test_after_a_while_one_call_looks_and_an_answer_closes_it(
    transport: BreakingTransport, backend: Scripted
) -> None:
    await fail(transport)
    backend.now += OPEN_S
    backend.fault = None
    assert await call(transport) == 500
    assert await call(transport) == 500


async def test_a_probe_that_fails_opens_it_for_twice_as_long(transport: BreakingTransport, backend: Scripted) -> None:
    await fail(transport)
    backend.now += OPEN_S
    await fail(transport, 1)
    backend.now += OPEN_S
    with pytest.raises(BreakerOpen):
        await call(transport)
    backend.now += OPEN_S
    await fail(transport, 1)


async def test_it_never_stays_open_for_longer_than_five_minutes(
    transport: BreakingTransport, backend: Scripted
) -> None:
    await fail(transport)
    for _probe in range(10):
        backend.now += OPEN_MAX_S
        await fail(transport, 1)


@pytest.mark.parametrize("fault", [asyncio.CancelledError(), TooLarge(1)])
async def test_what_the_caller_did_says_nothing_about_the_backend(
    transport: BreakingTransport, backend: Scripted, fault: BaseException
) -> None:
    backend.fault = fault
    for _time in range(2 * FAULTS):
        with pytest.raises(type(fault)):
            await call(transport)
    assert backend.sent == 2 * FAULTS


async def test_a_probe_whose_caller_leaves_lets_the_next_call_look(
    transport: BreakingTransport, backend: Scripted
) -> None:
    await fail(transport)
    backend.now += OPEN_S
    backend.fault = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await call(transport)
    backend.fault = None
    assert await call(transport) == 500


# Bodies


async def body(transport: BreakingTransport, backend: Scripted, *, breaks: bool) -> None:
    """A call whose head is good."""
    backend.fault, backend.status = None, 200
    assert await call(transport) == 200
    assert backend.last is not None
    assert backend.last.body is not None
    if breaks:
        backend.last.body.broke("backend_body_broken")
    else:
        backend.last.body.ended()


async def test_good_heads_whose_bodies_break_open_it(backend: Scripted) -> None:
    heard: list[bool] = []
    transport = BreakingTransport(backend, clock=backend.clock, changed=lambda _backend, is_open: heard.append(is_open))
    for _call in range(FAULTS):
        await body(transport, backend, breaks=True)
    with pytest.raises(BreakerOpen) as refusal:
        await call(transport)
    assert dict(refusal.value.headers)["retry-after"] == str(round(OPEN_S))
    state = transport.state_of("jobs", "http://127.0.0.1:1")
    assert state is not None
    assert state.last_fault is not None
    assert (heard, state.last_fault.reason) == ([True], "backend_body_broken")


async def test_a_whole_body_in_between_starts_the_count_anew(transport: BreakingTransport, backend: Scripted) -> None:
    for _round in range(3):
        for _call in range(FAULTS - 1):
            await body(transport, backend, breaks=True)
        await body(transport, backend, breaks=False)
    await fail_with(transport, backend, FAULTS - 1)
    await body(transport, backend, breaks=True)


async def fail_with(transport: BreakingTransport, backend: Scripted, times: int) -> None:
    backend.fault = BackendUnreachable()
    await fail(transport, times)


async def test_faults_of_heads_and_of_bodies_count_together(transport: BreakingTransport, backend: Scripted) -> None:
    for _round in range(FAULTS // 2 + 1):
        await body(transport, backend, breaks=True)
        await fail_with(transport, backend, 1)
    # A head of its own makes up for the last fault, not for those of bodies
    await body(transport, backend, breaks=True)
    await fail_with(transport, backend, 1)
    with pytest.raises(BreakerOpen):
        await call(transport)


async def test_half_of_many_bodies_open_it(transport: BreakingTransport, backend: Scripted) -> None:
    for number in range(WINDOW_CALLS):
        backend.now += 0.2
        await body(transport, backend, breaks=bool(number % 2))
    with pytest.raises(BreakerOpen):
        await call(transport)


async def test_a_probe_whose_body_breaks_opens_it_for_twice_as_long(
    transport: BreakingTransport, backend: Scripted
) -> None:
    for _call in range(FAULTS):
        await body(transport, backend, breaks=True)
    backend.now += OPEN_S
    await body(transport, backend, breaks=True)
    backend.now += OPEN_S
    with pytest.raises(BreakerOpen):
        await call(transport)
    backend.now += OPEN_S
    await body(transport, backend, breaks=False)
    for _call in range(FAULTS):
        await body(transport, backend, breaks=True)
    # After a whole body it begins anew
    backend.now += OPEN_S
    await body(transport, backend, breaks=False)


async def test_a_status_that_is_a_fault_already_is_not_watched(transport: BreakingTransport, backend: Scripted) -> None:
    backend.fault, backend.status = None, 503
    await call(transport)
    assert backend.last is not None
    assert backend.last.body is None


async def test_one_backend_says_nothing_about_another(transport: BreakingTransport, backend: Scripted) -> None:
    await fail(transport)
    backend.fault = None
    assert await call(transport, "payroll") == 500


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_what_stands_before_a_dead_backend_opens_it_as_well(
    transport: BreakingTransport, backend: Scripted, status: int
) -> None:
    backend.fault, backend.status = None, status
    for _time in range(FAULTS):
        assert await call(transport) == status
    with pytest.raises(BreakerOpen):
        await call(transport)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
async def test_no_other_status_does(transport: BreakingTransport, backend: Scripted, status: int) -> None:
    backend.fault, backend.status = None, status
    for _time in range(2 * WINDOW_CALLS):
        assert await call(transport) == status


async def alternate(transport: BreakingTransport, backend: Scripted, *, times: int, pause_s: float) -> None:
    """Call so often; every second call fails."""
    for number in range(times):
        backend.now += pause_s
        backend.fault = BackendUnreachable() if number % 2 else None
        if backend.fault is None:
            assert await call(transport) == 500
        else:
            await fail(transport, 1)


async def test_half_of_twenty_within_ten_seconds_open_it(transport: BreakingTransport, backend: Scripted) -> None:
    await alternate(transport, backend, times=WINDOW_CALLS, pause_s=0.2)
    with pytest.raises(BreakerOpen):
        await call(transport)


async def test_the_same_share_of_few_calls_does_not(transport: BreakingTransport, backend: Scripted) -> None:
    await alternate(transport, backend, times=2 * WINDOW_CALLS, pause_s=WINDOW_S / 10)
    backend.fault = None
    assert await call(transport) == 500


async def test_while_it_is_open_only_the_probe_counts(backend: Scripted) -> None:
    heard: list[bool] = []
    transport = BreakingTransport(backend, clock=backend.clock, changed=lambda _backend, is_open: heard.append(is_open))
    late = Late(backend)
    transport_of_late = BreakingTransport(late, clock=backend.clock, changed=lambda _b, is_open: heard.append(is_open))
    under_way = asyncio.ensure_future(call(transport_of_late))
    await asyncio.sleep(0)
    await fail(transport_of_late)
    backend.fault = None
    late.go.set()
    assert await under_way == 500
    with pytest.raises(BreakerOpen):
        await call(transport_of_late)
    assert heard == [True]
    backend.now += OPEN_S
    assert await call(transport_of_late) == 500
    assert heard == [True, False]
    assert await call(transport) == 500
    assert heard == [True, False]


@dataclass
class Late:
    """The same transport, but the first answer comes when it is told to."""

    behind: Scripted
    go: asyncio.Event = field(default_factory=asyncio.Event)
    _is_first: bool = True

    async def send(self, backend: BackendPlan, request: UpstreamRequest) -> UpstreamResponse:
        """Wait, if it is the first."""
        is_first, self._is_first = self._is_first, False
        if is_first:
            await self.go.wait()
        return await self.behind.send(backend, request)

    async def aclose(self) -> None:
        """Nothing."""


async def test_staff_see_how_a_backend_stands(transport: BreakingTransport, backend: Scripted) -> None:
    url = "http://127.0.0.1:1"
    assert transport.state_of("jobs", url) is None
    await fail(transport)
    backend.now += 1.0
    state = transport.state_of("jobs", url)
    assert state is not None
    assert (state.is_open, state.opens_in_s) == (True, OPEN_S - 1.0)
    assert state.last_fault is not None
    assert state.last_fault.reason == "backend_unreachable"
    backend.fault, backend.status, backend.now = None, 503, backend.now + OPEN_S
    assert await call(transport) == 503
    state = transport.state_of("jobs", url)
    assert state is not None
    assert state.last_fault is not None
    assert state.last_fault.reason == "status_503"
