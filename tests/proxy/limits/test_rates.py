"""Calls per window: counted where every worker counts, and never without limit."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings

from proxy.limits import rates
from proxy.limits.counting import Allowance, Wanted, together
from proxy.limits.rates import RateLimiter
from tests.proxy.raw_backend import RawBackend, silence

Make = Callable[..., "Limited"]
NOWHERE = "redis://127.0.0.1:1/0"


class Limited:
    """A worker's limiter, and one limit."""

    def __init__(self, redis_url: str | None, *, max_calls: int = 3, window_s: float = 60, workers: int = 1) -> None:
        self.now = 100.0
        self.limiter = RateLimiter(redis_url=redis_url, workers=workers, clock=lambda: self.now)
        self._numbers = (max_calls, int(window_s * 1000))

    def wanted(self, key: str) -> Wanted:
        """The counter of one caller."""
        return Wanted(key, "default", *self._numbers)

    async def hit(self, *keys: str) -> Allowance:
        """One call, counted for each of `keys`."""
        return await self.limiter.hit([self.wanted(key) for key in keys])

    async def aclose(self) -> None:
        """Close every connection to Redis."""
        await self.limiter.aclose()


@pytest.fixture
async def make_at() -> AsyncIterator[Make]:
    """Limiters, closed at the end."""
    made: list[Limited] = []

    def limiter(redis_url: str | None, **changes: Any) -> Limited:
        made.append(Limited(redis_url, **changes))
        return made[-1]

    yield limiter
    for each in made:
        await each.aclose()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.services)])
def make(request: pytest.FixtureRequest, make_at: Make) -> Make:
    """Limiters that count in memory, or together in Redis."""
    return partial(make_at, settings.REDIS_URL if request.param == "redis" else None)


@pytest.fixture
def key() -> str:
    """A caller nobody else is."""
    return f"user:{uuid4()}"


async def hits(limiter: Limited, key: str, times: int) -> list[Allowance]:
    """What each of several calls hears."""
    return [await limiter.hit(key) for _call in range(times)]


async def test_as_many_calls_as_allowed_and_not_one_more(make: Make, key: str) -> None:
    heard = await hits(make(max_calls=3), key, 5)
    assert [each.allowed for each in heard] == [True, True, True, False, False]
    assert [each.remaining for each in heard] == [2, 1, 0, 0, 0]


async def test_another_caller_is_not_affected(make: Make, key: str) -> None:
    limiter = make(max_calls=1)
    await hits(limiter, key, 2)
    assert (await limiter.hit(f"{key}-other")).allowed


async def test_the_headers_are_those_of_the_draft(make: Make, key: str) -> None:
    """draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4."""
    allowance = await make(max_calls=3, window_s=60).hit(key)
    headers = dict(allowance.headers)
    assert headers["ratelimit-policy"] == '"default";q=3;w=60'
    assert re.fullmatch(r'"default";r=2;t=\d+', headers["ratelimit"])
    assert headers["ratelimit"].endswith(f";t={allowance.resets_in_s}")


async def test_a_reset_is_whole_seconds_from_now_and_never_zero(make: Make, key: str) -> None:
    for allowance in await hits(make(window_s=7), key, 5):
        assert isinstance(allowance.resets_in_s, int)
        assert 1 <= allowance.resets_in_s <= 14


async def test_the_window_slides(make_at: Make, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = make_at(None, max_calls=2, window_s=10)
    # In the middle of a window, so that the next two begin where they should
    start = (time.time() // 10 + 1) * 10 + 5
    monkeypatch.setattr(time, "time", lambda: start)
    assert [each.allowed for each in await hits(limiter, key, 3)] == [True, True, False]
    monkeypatch.setattr(time, "time", lambda: start + 20)
    assert (await limiter.hit(key)).allowed


@pytest.mark.services
async def test_two_workers_count_together(make_at: Make, key: str) -> None:
    one, other = (make_at(settings.REDIS_URL, max_calls=4) for _worker in range(2))
    heard = [*await hits(one, key, 2), *await hits(other, key, 2), *await hits(one, key, 1)]
    assert [each.allowed for each in heard] == [True, True, True, True, False]


@pytest.mark.services
async def test_redis_is_reached_through_a_socket_as_well(make_at: Make, tmp_path: Path, key: str) -> None:
    address = urlsplit(str(settings.REDIS_URL))

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(address.hostname, address.port)
        writers = (upstream_writer, writer)
        await asyncio.gather(*(pump(a, b) for a, b in zip((reader, upstream_reader), writers, strict=True)))

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    async with await asyncio.start_unix_server(relay, tmp_path / "redis.sock"):
        limiter = make_at(f"unix://{tmp_path}/redis.sock?db={address.path[1:]}", max_calls=1)
        assert [each.allowed for each in await hits(limiter, key, 2)] == [True, False]
        assert not (await make_at(settings.REDIS_URL, max_calls=1).hit(key)).allowed
        await limiter.aclose()


async def test_without_redis_each_worker_counts_for_itself(make_at: Make, key: str) -> None:
    limiter = make_at(NOWHERE, max_calls=2)
    assert [each.allowed for each in await hits(limiter, key, 3)] == [True, True, False]


@pytest.fixture
async def silent_redis() -> AsyncIterator[str]:
    """A Redis that takes connections and says nothing."""
    async with RawBackend.listening() as deaf:
        deaf.says(silence)
        yield f"redis://127.0.0.1:{deaf.port}/0"


async def test_a_silent_redis_holds_one_call_up_for_a_moment_and_the_others_not_at_all(
    make_at: Make, silent_redis: str, key: str
) -> None:
    limiter = make_at(silent_redis, max_calls=10)
    started = time.monotonic()
    assert (await limiter.hit(key)).allowed
    assert time.monotonic() - started < rates.ANSWER_WITHIN_S + 0.5
    started = time.monotonic()
    heard = await hits(limiter, key, 10)
    assert [each.allowed for each in heard] == [True] * 9 + [False]
    assert time.monotonic() - started < rates.ANSWER_WITHIN_S
    # Only now somebody asks it again, and nobody else waits meanwhile
    limiter.now += rates.ASK_AGAIN_S
    started = time.monotonic()
    await asyncio.gather(*(limiter.hit(key) for _call in range(5)))
    assert rates.ANSWER_WITHIN_S * 0.9 < time.monotonic() - started < rates.ANSWER_WITHIN_S + 0.5


@pytest.mark.parametrize(
    "said", [b"+OK\r\n", b"-ERR broken\r\n", b"*1\r\n:1\r\n", b"\x00\x00\r\n", b"*2\r\n$1\r\nx\r\n:1\r\n"]
)
async def test_a_redis_that_talks_nonsense_is_a_lost_one(make_at: Make, key: str, said: bytes) -> None:
    async with await asyncio.start_server(partial(_talk, said), "127.0.0.1", 0) as server:
        limiter = make_at(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", max_calls=1)
        assert [each.allowed for each in await hits(limiter, key, 2)] == [True, False]
        await limiter.aclose()


async def _talk(said: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(65_536):
        writer.write(said)
    writer.close()


async def test_without_redis_each_worker_grants_its_share(make_at: Make, key: str) -> None:
    limiter = make_at(NOWHERE, max_calls=8, workers=4)
    heard = await hits(limiter, key, 3)
    assert [each.allowed for each in heard] == [True, True, False]
    assert dict(heard[0].headers)["ratelimit-policy"] == '"default";q=8;w=60'
    # One call a window at least, however many workers there are
    assert (await make_at(NOWHERE, max_calls=1, workers=4).hit(key)).allowed


@pytest.mark.services
async def test_a_worker_that_loses_redis_does_not_begin_anew(
    make_at: Make, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = make_at(settings.REDIS_URL, max_calls=4)
    assert [each.allowed for each in await hits(limiter, key, 3)] == [True] * 3

    async def lost(*_args: object, **_kwargs: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(limiter.limiter, "_script", lost)
    assert [each.allowed for each in await hits(limiter, key, 2)] == [True, False]


# Several limits of one call


async def test_a_call_that_one_limit_refuses_uses_up_none(make: Make, key: str) -> None:
    narrow, wide = make(max_calls=1), f"{key}-all"
    limiter, wanted = narrow.limiter, narrow.wanted(key)
    both = [wanted, Wanted(wide, "all", 3, 60_000)]
    assert (await limiter.hit(both)).allowed
    refused = [await limiter.hit(both) for _call in range(5)]
    assert not any(each.allowed for each in refused)
    assert dict(refused[0].headers)["ratelimit-policy"] == '"default";q=1;w=60'
    left = await limiter.hit([Wanted(wide, "all", 3, 60_000)])
    assert (left.allowed, left.remaining) == (True, 1)


async def test_a_dear_call_uses_up_as_much_as_several(make: Make, key: str) -> None:
    limited = make(max_calls=5)
    limiter, wanted = limited.limiter, [limited.wanted(key)]
    heard = [await limiter.hit(wanted, cost=2) for _call in range(3)]
    assert [(each.allowed, each.remaining) for each in heard] == [(True, 3), (True, 1), (False, 1)]
    assert heard[-1].retry_after_s >= 1
    assert (await limiter.hit(wanted)).allowed


async def test_a_call_dearer_than_its_limit_takes_all_of_it(make: Make, key: str) -> None:
    limited = make(max_calls=3)
    limiter, wanted = limited.limiter, [limited.wanted(key)]
    heard = [await limiter.hit(wanted, cost=1000) for _call in range(2)]
    assert [(each.allowed, each.remaining) for each in heard] == [(True, 0), (False, 0)]
    assert 1 <= heard[-1].retry_after_s <= 120


@pytest.mark.parametrize("cost", [2, 3, 9])
async def test_a_dear_call_that_comes_back_when_told_is_let_in(
    make_at: Make, key: str, monkeypatch: pytest.MonkeyPatch, cost: int
) -> None:
    limiter = make_at(None, max_calls=5, window_s=10)
    now = [1_000_003.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    for _round in range(6):
        allowance = await limiter.limiter.hit([limiter.wanted(key)], cost=cost)
        while allowance.allowed:
            allowance = await limiter.limiter.hit([limiter.wanted(key)], cost=cost)
        now[0] += allowance.retry_after_s
        assert (await limiter.limiter.hit([limiter.wanted(key)], cost=cost)).allowed


async def test_several_calls_are_counted_all_or_none(make: Make, key: str) -> None:
    limited, own = make(max_calls=5), f"{key}-own"
    of_all, of_one = limited.wanted(key), Wanted(own, "own", 2, 60_000)
    batch = together([([of_all, of_one], 1), ([of_all], 2), ([of_all, of_one], 1)])
    assert [(each.key, each.costs) for each in batch] == [(key, (1, 2, 1)), (own, (1, 1))]
    heard = [await limited.limiter.hit(batch) for _batch in range(2)]
    assert [(each.allowed, each.remaining) for each in heard] == [(True, 0), (False, 0)]
    assert heard[-1].retry_after_s >= 1
    left = await limited.limiter.hit([of_all])
    assert (left.allowed, left.remaining) == (True, 0)


async def test_of_several_calls_each_costs_all_of_a_smaller_limit(make: Make, key: str) -> None:
    limited = make(max_calls=3)
    batch = together([([limited.wanted(key)], cost) for cost in (9, 1)])
    refused = await limited.limiter.hit(batch)
    assert (refused.allowed, refused.remaining, batch[0].is_out_of_reach) == (False, 3, True)
    single = together([([limited.wanted(key)], 9)])
    assert not single[0].is_out_of_reach
    assert (await limited.limiter.hit(single)).allowed


async def test_several_calls_that_come_back_when_told_are_let_in(
    make_at: Make, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited, now = make_at(None, max_calls=5, window_s=10), [1_000_003.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    batch = together([([limited.wanted(key)], 1), ([limited.wanted(key)], 2)])
    for _round in range(6):
        allowance = await limited.limiter.hit(batch)
        while allowance.allowed:
            allowance = await limited.limiter.hit(batch)
        now[0] += allowance.retry_after_s
        assert (await limited.limiter.hit(batch)).allowed


async def test_the_caller_hears_of_the_limit_that_ends_first(make: Make, key: str) -> None:
    limiter = make().limiter
    allowance = await limiter.hit([Wanted(key, "wide", 100, 60_000), Wanted(f"{key}-2", "narrow", 2, 3_600_000)])
    assert dict(allowance.headers)["ratelimit"].startswith('"narrow";r=1;t=')


async def test_who_comes_back_when_told_is_let_in(make_at: Make, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the moment within a window: never told too little."""
    for into_s in (0, 1, 5, 9):
        limiter = make_at(None, max_calls=3, window_s=10)
        now = [1_000_000.0 + into_s]
        monkeypatch.setattr(time, "time", lambda: now[0])  # noqa: B023 - of this round
        for _round in range(4):
            heard = await hits(limiter, key, 4)
            while heard[-1].allowed:
                heard = await hits(limiter, key, 1)
            assert heard[-1].retry_after_s >= 1
            now[0] += heard[-1].retry_after_s
            assert (await limiter.hit(key)).allowed


async def test_a_limit_of_another_length_begins_anew(make: Make, key: str) -> None:
    limiter = make().limiter
    assert (await limiter.hit([Wanted(key, "default", 1, 60_000)])).allowed
    assert (await limiter.hit([Wanted(key, "default", 1, 30_000)])).allowed
    assert not (await limiter.hit([Wanted(key, "default", 1, 30_000)])).allowed


@pytest.mark.services
async def test_fifty_calls_at_once_of_two_workers_are_counted_exactly(make_at: Make, key: str) -> None:
    one, other = (make_at(settings.REDIS_URL, max_calls=20, window_s=3600) for _worker in range(2))
    heard = await asyncio.gather(*(limiter.hit(key) for _call in range(25) for limiter in (one, other)))
    assert sum(each.allowed for each in heard) == 20
