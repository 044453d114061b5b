"""A breaker: opens after faults in a row, says when to come back, lets one call look, closes when it is answered."""

import asyncio
from dataclasses import dataclass

import pytest

from proxy.catalogue.snapshot import BackendPlan
from proxy.refusals import BackendNonsense, BackendUnreachable, BreakerOpen, DeadlinePassed, TooLarge
from proxy.upstream.breaker import FAULTS, OPEN_MAX_S, OPEN_S, BreakingTransport
from proxy.upstream.transport import Headers, UpstreamRequest, UpstreamResponse
from tests.proxy.plans import backend_plan
from tests.proxy.upstream.calls import request


class Answered:
    """An answer nobody reads here."""

    status = 500
    headers: Headers = ()

    async def read(self) -> bytes:
        """Nothing."""
        return b""

    async def aclose(self) -> None:
        """Nothing."""


@dataclass
class Scripted:
    """A transport that answers or fails as it is told, and a clock that moves when it is told."""

    fault: BaseException | None = None
    sent: int = 0
    now: float = 100.0

    async def send(self, _backend: BackendPlan, _request: UpstreamRequest) -> UpstreamResponse:
        """Count, then do as told."""
        self.sent += 1
        if self.fault is not None:
            raise self.fault
        return Answered()

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


async def test_it_never_stays_open_for_longer_than_a_minute(transport: BreakingTransport, backend: Scripted) -> None:
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


async def test_one_backend_says_nothing_about_another(transport: BreakingTransport, backend: Scripted) -> None:
    await fail(transport)
    backend.fault = None
    assert await call(transport, "payroll") == 500
