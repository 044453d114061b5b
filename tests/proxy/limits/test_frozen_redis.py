"""A Redis that stands still: connections to it stay open, and nothing comes back."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from proxy.limits import rates
from proxy.limits.counting import Wanted
from proxy.limits.rates import RateLimiter
from tests.evidence.stores import Store, own_redis

pytestmark = pytest.mark.services

WORKERS = 2
MOST = 200
WANTED = [Wanted("user:1", "default", MOST, 600_000)]
# Far less than waiting for Redis, far more than counting in memory
AT_ONCE_S = rates.ANSWER_WITHIN_S / 2
ASK_AGAIN_S = 1.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A Redis of the test's own."""
    with own_redis(tmp_path) as started:
        yield started


@pytest.fixture
async def workers(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[RateLimiter]]:
    """Two that count together."""
    monkeypatch.setattr(rates, "ASK_AGAIN_S", ASK_AGAIN_S)
    made = [RateLimiter(redis_url=store.url, workers=WORKERS) for _worker in range(WORKERS)]
    until = time.monotonic() + 10
    # As soon as it listens
    while not all([await counts_together(each) for each in made]):
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
    yield made
    for each in made:
        await each.aclose()


async def counts_together(limiter: RateLimiter) -> bool:
    """Whether the Redis counted a call of its own."""
    await limiter.hit([Wanted("user:2", "default", 10_000, 600_000)])
    return not limiter.is_alone


async def allowed(limiter: RateLimiter, times: int) -> int:
    """How many of so many calls, one after another, are let in."""
    return sum([(await limiter.hit(WANTED)).allowed for _call in range(times)])


async def test_few_calls_wait_for_it_and_none_is_let_in_beyond_the_share(
    store: Store, workers: list[RateLimiter]
) -> None:
    limiter, slow, let_in, calls = workers[0], 0, 0, 0
    store.signal(signal.SIGSTOP)
    until = time.monotonic() + 3 * ASK_AGAIN_S
    while (asked_at := time.monotonic()) < until:
        let_in += (await limiter.hit(WANTED)).allowed
        calls += 1
        took_s = time.monotonic() - asked_at
        assert took_s < rates.ANSWER_WITHIN_S + 0.5
        slow += took_s > AT_ONCE_S
        await asyncio.sleep(0.001)
    # The first, and one in so long
    assert 2 <= slow <= 3
    assert calls > MOST
    assert let_in == MOST // WORKERS


async def test_of_many_at_once_one_waits(store: Store, workers: list[RateLimiter]) -> None:
    limiter = workers[0]
    store.signal(signal.SIGSTOP)
    await limiter.hit(WANTED)
    await asyncio.sleep(ASK_AGAIN_S)

    async def is_slow() -> bool:
        asked_at = time.monotonic()
        await limiter.hit(WANTED)
        return time.monotonic() - asked_at > AT_ONCE_S

    assert sum(await asyncio.gather(*(is_slow() for _call in range(40)))) == 1


async def test_once_it_goes_on_the_workers_count_together_again(store: Store, workers: list[RateLimiter]) -> None:
    store.signal(signal.SIGSTOP)
    for each in workers:
        assert (await each.hit(WANTED)).allowed
        assert each.is_alone
    store.signal(signal.SIGCONT)
    await asyncio.sleep(ASK_AGAIN_S)
    let_in = [await allowed(each, MOST) for each in workers]
    assert not any(each.is_alone for each in workers)
    # Both together; what was asked while it stood still may have been counted when it went on
    assert MOST - 2 * WORKERS <= sum(let_in) <= MOST


async def test_an_answer_that_comes_too_late_is_not_the_next_callers(store: Store, workers: list[RateLimiter]) -> None:
    limiter = workers[0]
    for _call in range(5):
        await limiter.hit(WANTED)
    store.signal(signal.SIGSTOP)
    await limiter.hit(WANTED)
    store.signal(signal.SIGCONT)
    await asyncio.sleep(ASK_AGAIN_S)
    for calls in range(1, 4):
        allowance = await limiter.hit([Wanted("user:3", "default", MOST, 600_000)])
        assert not limiter.is_alone
        assert allowance.remaining == MOST - calls
