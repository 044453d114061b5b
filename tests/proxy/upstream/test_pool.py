"""Kept connections against a backend of raw bytes: nothing surplus is ever read, and who leaves is let go."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.refusals import (
    BackendFault,
    BackendNonsense,
    BackendRefusedByGuard,
    BackendUnreachable,
    DeadlinePassed,
    RequestTimeout,
)
from proxy.upstream import pool
from proxy.upstream.http1 import Exchange
from proxy.upstream.pool import PooledTransport
from proxy.upstream.transport import Transport
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import RawBackend, Wire, answer, chunk, chunked, once, silence
from tests.proxy.upstream.calls import get, request, whole

CLOSED_WITHIN_S = 1.0


# One connection, one answer each


@pytest.mark.usefixtures("proven")
async def test_a_connection_is_used_again_when_its_answer_is_read(backend: RawBackend) -> None:
    transport = PooledTransport()
    backend.says(answer(b"same length"))
    plan = backend_plan(backend.url)
    for _call in range(5):
        response = await transport.send(plan, request())
        assert await response.read() == b"same length"
        # Not read to its end: the length says that nothing follows
        await response.aclose()
    await transport.aclose()
    assert backend.connections == 1


async def test_a_connection_put_back_after_the_end_is_closed(backend: RawBackend) -> None:
    transport = PooledTransport()
    response = await transport.send(backend_plan(backend.url), request())
    assert await response.read() == b""
    await transport.aclose()
    await response.aclose()
    await asyncio.wait_for(backend.closed.wait(), CLOSED_WITHIN_S)


async def test_an_answer_leaves_nothing_to_the_garbage_collector(transport: Transport, backend: RawBackend) -> None:
    backend.says(answer(b"whole"))
    # What other tests left behind
    gc.collect()
    gc.disable()
    try:
        before = exchanges()
        for _call in range(5):
            assert await whole(await transport.send(backend_plan(backend.url), request())) == b"whole"
        assert exchanges() == before
    finally:
        gc.enable()


def exchanges() -> int:
    """How many there are in memory, those that only the collector would find included."""
    return sum(type(each) is Exchange for each in gc.get_objects())


@pytest.mark.usefixtures("proven")
async def test_a_read_is_sent_again_when_its_kept_connection_turns_out_closed(
    transport: Transport, backend: RawBackend
) -> None:
    backend.says(answer(b"one"), once(b""), answer(b"two"))
    assert await get(transport, backend) == (200, b"one")
    assert await get(transport, backend) == (200, b"two")
    assert [arrived.connection for arrived in backend.arrived] == [0, 0, 1]


@pytest.mark.usefixtures("proven")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_may_change_something_is_sent_once(transport: Transport, backend: RawBackend, method: str) -> None:
    backend.says(answer(b"one"), once(b""), answer(b"two"))
    assert await get(transport, backend) == (200, b"one")
    with pytest.raises(BackendNonsense):
        await get(transport, backend, method)
    assert len(backend.arrived) == 2


SURPLUS = {
    "two answers": (answer(b"ana's") + answer(b"surplus"), "GET", b"ana's"),
    "a body on HEAD": (answer(b"surplus"), "HEAD", b""),
    "a body on 304": (b"HTTP/1.1 304 Not Modified\r\n\r\n" + answer(b"surplus"), "GET", b""),
    "a body on 204": (
        b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsurplus",
        "GET",
        b"",
    ),
    "more than its length": (answer(b"ana's") + b"surplus", "GET", b"ana's"),
    "more than its chunks": (chunked(b"ana's") + answer(b"surplus"), "GET", b"ana's"),
}


@pytest.mark.parametrize("case", SURPLUS)
async def test_a_surplus_answer_reaches_nobody(transport: Transport, backend: RawBackend, case: str) -> None:
    surplus, method, ana_gets = SURPLUS[case]
    backend.says(surplus, *(answer(f"call {number}".encode()) for number in range(4)))
    assert (await get(transport, backend, method))[1] == ana_gets
    for number in range(4):
        assert await get(transport, backend) == (200, f"call {number}".encode())


FRAGMENTS = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 204 No Content\r\n", b"HTTP/1.1 304 Not Modified\r\n", b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Connection: close\r\n",
    b"Transfer-Encoding: chunked\r\n", b"X: y\r\n", b"\r\n", b"hello", b"5\r\nhello\r\n", b"0\r\n\r\n", b"\n", b"\x00",
]  # fmt: skip


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=8).map(b"".join))
@settings(max_examples=30)
def test_whatever_a_backend_says_the_next_caller_gets_their_own(said: bytes) -> None:
    async def two_callers() -> None:
        transport = PooledTransport()
        async with RawBackend.listening() as backend:
            backend.says(once(said), answer(b"bruno's"))
            with suppress(BackendFault):
                await asyncio.wait_for(get(transport, backend), 2)
            assert await asyncio.wait_for(get(transport, backend), 2) == (200, b"bruno's")
        await transport.aclose()

    asyncio.run(two_callers())


async def test_a_late_surplus_answer_reaches_nobody(transport: Transport, backend: RawBackend) -> None:
    async def late(wire: Wire) -> None:
        await wire.write(answer(b"ana's"))
        await asyncio.sleep(0.05)
        await wire.write(answer(b"surplus"))

    backend.says(late, answer(b"bruno's"))
    assert await get(transport, backend) == (200, b"ana's")
    await asyncio.sleep(0.1)
    assert await get(transport, backend) == (200, b"bruno's")


async def test_a_surplus_answer_of_a_new_backend_reaches_nobody_however_soon_the_next_call_comes(
    transport: Transport, backend: RawBackend
) -> None:
    async def late(wire: Wire) -> None:
        await wire.write(answer(b"ana's"))
        await asyncio.sleep(0.02)
        await wire.write(answer(b"surplus"))

    backend.says(late, answer(b"bruno's"))
    assert await get(transport, backend) == (200, b"ana's")
    assert [await get(transport, backend) for _call in range(3)] == [(200, b"bruno's")] * 3


async def test_a_backend_is_believed_after_it_was_silent_often_enough(
    transport: Transport, backend: RawBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "SILENCES", 2)
    monkeypatch.setattr(pool, "SILENCE_S", 0.05)
    backend.says(answer(b"one"))
    for pause_s in (0, 0, 0.06, 0, 0, 0):
        await asyncio.sleep(pause_s)
        await get(transport, backend)
    # The first two calls came too soon for one connection; both were silent then, and that is enough
    assert [arrived.connection for arrived in backend.arrived] == [0, 1, 0, 1, 1, 1]


async def test_a_new_backend_has_no_more_connections_than_it_takes_calls(
    transport: Transport, backend: RawBackend
) -> None:
    plan = backend_plan(backend.url, max_concurrency=1)
    for _call in range(2):
        backend.closed.clear()
        await whole(await transport.send(plan, request()))
    await asyncio.wait_for(backend.closed.wait(), CLOSED_WITHIN_S)
    assert backend.connections == 2


async def test_a_backend_that_said_too_much_is_not_believed_at_another_address(
    transport: Transport, backend: RawBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = iter(["127.0.0.1", "localhost", "127.0.0.1"])

    async def resolved(_backend: object) -> str:
        return next(addresses)

    monkeypatch.setattr(pool, "pinned_address", resolved)
    monkeypatch.setattr(pool, "PIN_S", 0.0)
    monkeypatch.setattr(pool, "SILENCES", 0)
    backend.says(answer(b"mine") + answer(b"of nobody"), answer(b"next"))
    assert [await get(transport, backend) for _call in range(3)] == [(200, b"mine"), (200, b"next"), (200, b"next")]
    assert backend.connections == 3


async def test_a_body_that_nobody_read_reaches_nobody(transport: Transport, backend: RawBackend) -> None:
    backend.says(answer(b"a" * 3_000_000), answer(b"bruno's"))
    response = await transport.send(backend_plan(backend.url), request())
    assert await response.read()
    await response.aclose()
    assert await get(transport, backend) == (200, b"bruno's")


# No connection, no time


async def test_a_refused_connection_is_unreachable(transport: Transport) -> None:
    async with RawBackend.listening() as gone:
        plan = backend_plan(gone.url)
    with pytest.raises(BackendUnreachable) as refusal:
        await transport.send(plan, request())
    assert (refusal.value.status, refusal.value.reason) == (502, "backend_unreachable")


async def test_a_backend_that_comes_back_is_found_again(transport: Transport) -> None:
    async with RawBackend.listening() as first:
        plan = backend_plan(first.url)
        await whole(await transport.send(plan, request()))
    with pytest.raises(BackendFault):
        await transport.send(plan, request())
    async with RawBackend.listening(port=first.port):
        assert await whole(await transport.send(plan, request())) == b""


async def test_a_connection_that_takes_too_long_is_given_up(transport: Transport, full_listener: int) -> None:
    plan = backend_plan(f"http://127.0.0.1:{full_listener}", connect_timeout_s=0.2)
    started = time.monotonic()
    with pytest.raises(DeadlinePassed) as refusal:
        await transport.send(plan, request())
    assert (refusal.value.status, refusal.value.reason) == (504, "connect_timeout")
    assert time.monotonic() - started < 1


async def test_a_deadline_is_the_fault_of_whoever_is_waited_for(transport: Transport, backend: RawBackend) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield b"some"
        await asyncio.sleep(30)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"a" * 65_536

    async def deaf(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    done = asyncio.Event()

    async with await asyncio.start_server(deaf, "127.0.0.1", 0) as server:
        deaf_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        backend.says(silence)
        for body, url, fault in (
            (stalled(), backend.url, RequestTimeout),
            (endless(), deaf_url, DeadlinePassed),
            (b"all", backend.url, DeadlinePassed),
        ):
            late = replace(request("POST", body=body), deadline=asyncio.get_running_loop().time() + 0.5)
            with pytest.raises(fault):
                await transport.send(backend_plan(url), late)
        done.set()
        await asyncio.sleep(0.01)


async def test_an_address_inside_is_refused_before_any_connection(transport: Transport, backend: RawBackend) -> None:
    with pytest.raises(BackendRefusedByGuard):
        await transport.send(replace(backend_plan(backend.url), allow_private=False), request())
    assert backend.connections == 0


async def test_a_name_is_connected_to_at_the_address_that_was_checked(
    transport: Transport, backend: RawBackend
) -> None:
    response = await transport.send(backend_plan(f"http://localhost:{backend.port}"), request())
    await whole(response)
    assert backend.request.header("host") == f"localhost:{backend.port}"


# A caller who leaves


async def closes_within_a_second(backend: RawBackend, leave: Callable[[], Awaitable[None]]) -> None:
    """Whether the backend sees its connection end."""
    backend.closed.clear()
    started = time.monotonic()
    await leave()
    await asyncio.wait_for(backend.closed.wait(), CLOSED_WITHIN_S)
    assert time.monotonic() - started < CLOSED_WITHIN_S


async def cancelled(task: asyncio.Task[object]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_call_cancelled_before_its_answer_leaves_the_backend(transport: Transport, backend: RawBackend) -> None:
    backend.says(silence)
    call = asyncio.create_task(get(transport, backend))
    await backend.heard()
    await closes_within_a_second(backend, lambda: cancelled(call))


async def test_a_call_cancelled_while_its_body_is_read_leaves_the_backend(
    transport: Transport, backend: RawBackend
) -> None:
    async def endless(wire: Wire) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"one"))
        await wire.until_closed()

    backend.says(endless)
    response = await transport.send(backend_plan(backend.url), request())
    assert await response.read() == b"one"
    reading = asyncio.create_task(response.read())
    await asyncio.sleep(0.01)

    async def leave() -> None:
        await cancelled(reading)
        await response.aclose()

    await closes_within_a_second(backend, leave)


async def test_an_answer_that_is_let_go_unread_leaves_the_backend(transport: Transport, backend: RawBackend) -> None:
    async def endless(wire: Wire) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"one"))
        await wire.until_closed()

    backend.says(endless)
    response = await transport.send(backend_plan(backend.url), request())
    await closes_within_a_second(backend, response.aclose)


async def test_many_cancelled_calls_leave_the_transport_in_order(transport: Transport, backend: RawBackend) -> None:
    backend.says(silence)
    for caller in range(20):
        call = asyncio.create_task(get(transport, backend))
        await asyncio.sleep(caller / 4000)
        await cancelled(call)
    backend.says(answer(b"still here"))
    for _caller in range(5):
        assert await get(transport, backend) == (200, b"still here")


async def test_after_one_answer_too_many_each_call_has_a_connection_of_its_own(
    transport: PooledTransport, backend: RawBackend
) -> None:
    backend.says(answer(b"mine") + answer(b"of nobody"), answer(b"next"))
    assert [await get(transport, backend) for _call in range(3)] == [(200, b"mine"), (200, b"next"), (200, b"next")]
    assert backend.connections == 3


async def test_an_answer_too_many_that_comes_late_counts_too(transport: PooledTransport, backend: RawBackend) -> None:
    async def late(wire: Wire) -> None:
        await wire.write(answer(b"mine"))
        await asyncio.sleep(0.02)
        await wire.write(answer(b"of nobody"))

    backend.says(late, answer(b"next"))
    assert await get(transport, backend) == (200, b"mine")
    await asyncio.sleep(0.05)
    assert [await get(transport, backend) for _call in range(2)] == [(200, b"next")] * 2
    assert backend.connections == 3
