"""A second try: only where it does no harm, within the budget, in time, and told."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from proxy.refusals import BackendClosed, BackendUnreachable, DeadlinePassed
from proxy.upstream import retry
from proxy.upstream.pool import PooledTransport
from proxy.upstream.retry import PER_S, SHARE, RetryBudget, RetryingTransport
from proxy.upstream.transport import UpstreamRequest
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import RawBackend, Step, answer, once, silence
from tests.proxy.upstream.calls import pieces, request, whole

CLOSED, OK = once(b""), answer(b"at last")
BUSY = answer(b"busy", status="503 Service Unavailable")


@pytest.fixture
async def transport() -> AsyncIterator[RetryingTransport]:
    made = RetryingTransport(PooledTransport())
    yield made
    await made.aclose()


@pytest.mark.parametrize(
    "fault",
    [CLOSED, BUSY, answer(status="502 Bad Gateway"), answer(status="504 Gateway Timeout"),
     answer(b"", "Retry-After: 0", status="503 Service Unavailable")],
)  # fmt: skip
async def test_a_reading_call_gets_a_second_try(transport: RetryingTransport, backend: RawBackend, fault: Step) -> None:
    backend.says(fault, OK)
    response = await transport.send(backend_plan(backend.url), request())
    assert (response.status, response.retries, await whole(response)) == (200, 1, b"at last")
    assert len(backend.arrived) == 2


async def test_what_staff_called_idempotent_is_sent_again_with_its_body(
    transport: RetryingTransport, backend: RawBackend
) -> None:
    backend.says(CLOSED, OK)
    call = request("POST", "/jobs", ("content-length", "2"), body=b"{}")
    response = await transport.send(backend_plan(backend.url), replace(call, may_repeat=True))
    assert (response.status, response.retries) == (200, 1)
    assert [arrived.content for arrived in backend.arrived] == [b"{}", b"{}"]
    await response.aclose()


async def test_there_is_no_third_try(transport: RetryingTransport, backend: RawBackend) -> None:
    backend.says(CLOSED)
    with pytest.raises(BackendClosed) as refusal:
        await transport.send(backend_plan(backend.url), request())
    assert (refusal.value.retries, len(backend.arrived)) == (1, 2)
    backend.says(BUSY)
    response = await transport.send(backend_plan(backend.url), request())
    assert (response.status, response.retries, len(backend.arrived)) == (503, 1, 4)
    await response.aclose()


async def test_nobody_listening_is_tried_twice(transport: RetryingTransport) -> None:
    async with RawBackend.listening() as gone:
        plan = backend_plan(gone.url)
    with pytest.raises(BackendUnreachable) as refusal:
        await transport.send(plan, request())
    assert refusal.value.retries == 1


@pytest.mark.parametrize(
    "once_only",
    [
        request("POST", "/jobs", ("content-length", "2"), body=b"{}"),
        request("DELETE"),
        replace(request(), deadline=0.0),
    ],
)
async def test_other_calls_are_sent_once(
    transport: RetryingTransport, backend: RawBackend, once_only: UpstreamRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.says(BUSY, OK)
    if once_only.deadline != math.inf:
        # Enough for one try, not for the wait and another
        monkeypatch.setattr(retry, "WAIT_MIN_S", 10.0)
        monkeypatch.setattr(retry, "WAIT_MAX_S", 10.0)
        once_only = replace(once_only, deadline=asyncio.get_running_loop().time() + 5)
    response = await transport.send(backend_plan(backend.url), once_only)
    assert (response.status, response.retries, len(backend.arrived)) == (503, 0, 1)
    await response.aclose()


async def test_a_body_that_streams_cannot_be_sent_again(transport: RetryingTransport, backend: RawBackend) -> None:
    backend.says(CLOSED, OK)
    with pytest.raises(BackendClosed):
        await transport.send(backend_plan(backend.url), request("GET", body=pieces(b"a", b"b")))
    assert len(backend.arrived) == 1


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("HTTP/1.1 500 Internal Server Error", 500),
        ("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0", 429),
        ("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30", 503),
        ("HTTP/1.1 503 Service Unavailable\r\nRetry-After: Fri, 31 Dec 2027 23:59:59 GMT", 503),
    ],
)
async def test_what_the_backend_wants_otherwise_is_respected(
    transport: RetryingTransport, backend: RawBackend, said: str, status: int
) -> None:
    backend.says(f"{said}\r\nContent-Length: 0\r\n\r\n".encode(), OK)
    response = await transport.send(backend_plan(backend.url), request())
    assert (response.status, len(backend.arrived)) == (status, 1)
    await response.aclose()


async def test_a_short_retry_after_is_waited_for(transport: RetryingTransport, backend: RawBackend) -> None:
    backend.says(answer(b"", "Retry-After: 1", status="503 Service Unavailable"), OK)
    began = asyncio.get_running_loop().time()
    response = await transport.send(backend_plan(backend.url), request())
    assert (response.status, response.retries) == (200, 1)
    assert asyncio.get_running_loop().time() - began >= 1
    await response.aclose()


async def test_a_backend_that_says_nothing_is_given_up_before_the_deadline(
    transport: RetryingTransport, backend: RawBackend
) -> None:
    backend.says(silence, OK)
    began = asyncio.get_running_loop().time()
    with pytest.raises(DeadlinePassed):
        await transport.send(backend_plan(backend.url), replace(request(), first_byte_s=0.2))
    assert asyncio.get_running_loop().time() - began < 2
    assert len(backend.arrived) == 1


async def test_an_upload_does_not_count_as_silence(transport: RetryingTransport, backend: RawBackend) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for _piece in range(4):
            await asyncio.sleep(0.1)
            yield b"x"

    call = request("POST", "/jobs", ("content-length", "4"), body=slowly())
    response = await transport.send(backend_plan(backend.url), replace(call, first_byte_s=0.3))
    assert (response.status, backend.request.content) == (200, b"xxxx")
    await response.aclose()


async def test_a_backend_that_is_down_gets_hardly_more_load(transport: RetryingTransport, backend: RawBackend) -> None:
    backend.says(BUSY)
    plan = backend_plan(backend.url)
    for _call in range(50):
        await (await transport.send(plan, replace(request(), deadline=asyncio.get_running_loop().time() + 5))).aclose()
    # A tenth, and what the seconds since the start allow beside it
    assert 50 < len(backend.arrived) <= 50 + 50 * SHARE + 5 * PER_S


def test_the_budget_is_a_tenth_of_the_calls_and_three_a_second() -> None:
    now = [0.0]
    budget = RetryBudget(lambda: now[0])

    def spendable() -> int:
        number = 0
        while budget.spend():
            number += 1
        return number

    assert spendable() == PER_S
    for _call in range(100):
        budget.earn()
    # To the last bit of what a tenth is in binary
    assert 9 <= spendable() <= 10
    now[0] += 0.5
    assert spendable() in {1, 2}
    now[0] += 3600
    assert spendable() == PER_S
