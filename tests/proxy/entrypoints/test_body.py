"""The request body: counted, timed, and whole only while it is small."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from proxy.entrypoints import body as entrypoint
from proxy.entrypoints.body import WHOLE_MAX, RequestBody
from proxy.limits import concurrency
from proxy.limits.concurrency import AwaitedBodies
from proxy.pipeline.call import ClientGone
from proxy.refusals import RequestTimeout, TooLarge
from tests.proxy.asgi_client import Exchange

LIMIT = 1_000_000


def sent(*chunks: bytes, length: int | None = None, more: bool = False) -> tuple[RequestBody, Exchange]:
    """A body whose client sends these chunks."""
    exchange = Exchange()
    exchange.sends(*chunks, more=more)
    return RequestBody(exchange.receive, length=length), exchange


async def rest(content: bytes | AsyncIterator[bytes] | None) -> bytes:
    """What a streamed body delivers."""
    assert content is not None
    assert not isinstance(content, bytes)
    return b"".join([chunk async for chunk in content])


@pytest.mark.parametrize("chunks", [[b"abc"], [b"a", b"b", b"c"], [b"", b"abc", b""]])
async def test_a_small_body_is_whole(chunks: list[bytes]) -> None:
    body, _exchange = sent(*chunks)
    assert await body.open(limit=LIMIT) == b"abc"
    assert body.received == 3
    assert body.finished.is_set()


async def test_no_body_is_not_an_empty_one() -> None:
    assert await sent(b"")[0].open(limit=LIMIT) is None
    assert await sent(b"", length=0)[0].open(limit=LIMIT) == b""


@pytest.mark.parametrize(("length", "content"), [(None, None), (0, b"")])
async def test_nobody_waits_for_a_body_that_was_not_announced(length: int | None, content: bytes | None) -> None:
    silent = Exchange()
    body = RequestBody(silent.receive, length=length, is_absent=True)
    assert body.finished.is_set()
    assert await body.open(limit=LIMIT) == content


async def test_the_largest_whole_body() -> None:
    assert await sent(b"a" * WHOLE_MAX)[0].open(limit=LIMIT) == b"a" * WHOLE_MAX


async def test_a_larger_one_comes_in_chunks_before_it_is_complete() -> None:
    body, exchange = sent(b"a" * WHOLE_MAX, b"b", more=True)
    content = await body.open(limit=LIMIT)
    assert not body.finished.is_set()
    exchange.sends(b"c", b"", b"d")
    assert await rest(content) == b"a" * WHOLE_MAX + b"bcd"
    assert body.finished.is_set()
    assert body.received == WHOLE_MAX + 3


async def test_a_body_of_the_limit_passes_and_one_byte_more_does_not() -> None:
    assert await sent(b"a" * 10)[0].open(limit=10) == b"a" * 10
    with pytest.raises(TooLarge) as refusal:
        await sent(b"a" * 10, b"b")[0].open(limit=10)
    assert refusal.value.status == 413


async def test_a_streamed_body_over_the_limit_ends_where_it_is_seen() -> None:
    body, _exchange = sent(b"a" * WHOLE_MAX, b"b", b"c" * 10)
    content = await body.open(limit=WHOLE_MAX + 5)
    with pytest.raises(TooLarge):
        await rest(content)


async def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoint, "GRACE_S", 0.02)
    with pytest.raises(RequestTimeout) as refusal:
        await sent(b"a", more=True)[0].open(limit=LIMIT)
    assert (refusal.value.status, dict(refusal.value.headers)) == (408, {"connection": "close"})


async def test_a_body_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoint, "GRACE_S", 0.05)
    body, exchange = sent(b"a", more=True)

    async def drip() -> None:
        while True:
            await asyncio.sleep(0.01)
            exchange.sends(b"a", more=True)

    dripping = asyncio.create_task(drip())
    with pytest.raises(RequestTimeout):
        await body.open(limit=LIMIT)
    dripping.cancel()
    assert body.received < 20


async def test_a_body_that_keeps_up_has_as_long_as_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoint, "GRACE_S", 0.05)
    monkeypatch.setattr(entrypoint, "MIN_BYTES_PER_S", 1000)
    body, exchange = sent(b"a" * 100, more=True)

    async def steadily() -> None:
        for _chunk in range(10):
            await asyncio.sleep(0.02)
            exchange.sends(b"a" * 100, more=True)
        exchange.sends(b"end")

    sending = asyncio.create_task(steadily())
    assert await body.open(limit=LIMIT) == b"a" * 1100 + b"end"
    await sending


async def test_the_client_is_not_blamed_for_a_backend_that_reads_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoint, "GRACE_S", 0.05)
    monkeypatch.setattr(entrypoint, "MIN_BYTES_PER_S", 10_000_000)
    body, exchange = sent(b"a" * WHOLE_MAX, b"b", more=True)
    content = await body.open(limit=LIMIT)
    # Whoever sends it on is busy for longer than the client may take
    await asyncio.sleep(0.1)
    asyncio.get_running_loop().call_later(0.01, exchange.sends, b"c")
    assert await rest(content) == b"a" * WHOLE_MAX + b"bc"


async def test_a_client_that_leaves_is_gone() -> None:
    body, exchange = sent(b"a", more=True)
    exchange.leaves()
    with pytest.raises(ClientGone):
        await body.open(limit=LIMIT)
    body, exchange = sent(b"a" * WHOLE_MAX, b"b", more=True)
    content = await body.open(limit=LIMIT)
    exchange.leaves()
    with pytest.raises(ClientGone):
        await rest(content)


# Many that come slowly


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> AwaitedBodies:
    """Three of one address may be slow, after a moment."""
    monkeypatch.setattr(concurrency, "AWAITED_OF_ONE_MAX", 3)
    monkeypatch.setattr(concurrency, "SLOW_AFTER_S", 0.05)
    return AwaitedBodies()


def slow(awaited: AwaitedBodies, address: str = "203.0.113.1") -> tuple[asyncio.Task[object], Exchange]:
    """A body whose client begins it and stops."""
    exchange = Exchange()
    exchange.sends(b"{", more=True)
    body = RequestBody(exchange.receive, length=None, awaited=awaited, address=address)
    return asyncio.create_task(body.open(limit=LIMIT)), exchange


async def test_of_bodies_that_come_slowly_an_address_has_a_few(few: AwaitedBodies) -> None:
    calls = [slow(few) for _each in range(5)]
    other, _exchange = slow(few, "198.51.100.1")
    tasks = [task for task, _exchange in calls]
    await asyncio.wait(tasks, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    done, waiting = await asyncio.wait(tasks, timeout=0.3)
    assert (len(done), len(waiting), other.done()) == (2, 3, False)
    assert all(isinstance(task.exception(), RequestTimeout) for task in done)
    # Whoever sends at once is none of them, and who ends makes room
    assert await sent(b"abc")[0].open(limit=LIMIT) == b"abc"
    for task, exchange in calls:
        if task in waiting:
            exchange.sends(b"}")
            assert await task == b"{}"
    late, _exchange = slow(few)
    assert await asyncio.wait([late], timeout=0.2) == (set(), {late})
    for task in (late, other):
        task.cancel()


async def test_what_a_busy_event_loop_finds_late_is_nobodys_slowness(few: AwaitedBodies) -> None:
    calls = [slow(few) for _each in range(5)]
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 - the event loop is late
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for _task, exchange in calls:
        exchange.sends(b"}")
    assert await asyncio.gather(*(task for task, _exchange in calls)) == [b"{}"] * 5
