"""Calls per window: counted where every worker counts, and never without limit."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings

from proxy.limits.rates import Allowance, RateLimiter
from tests.proxy.raw_backend import RawBackend, silence

Make = Callable[..., RateLimiter]
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
async def make_at() -> AsyncIterator[Make]:
    """Limiters, closed at the end."""
    made: list[RateLimiter] = []

    def limiter(redis_url: str | None, *, max_calls: int = 3, window_s: int = 60) -> RateLimiter:
        made.append(RateLimiter(max_calls=max_calls, window_s=window_s, redis_url=redis_url))
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


async def hits(limiter: RateLimiter, key: str, times: int) -> list[Allowance]:
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


async def test_a_silent_redis_holds_a_call_up_for_half_a_second_at_most(
    make_at: Make, silent_redis: str, key: str
) -> None:
    limiter = make_at(silent_redis, max_calls=1)
    started = time.monotonic()
    assert (await limiter.hit(key)).allowed
    assert time.monotonic() - started < 0.75
    assert not (await limiter.hit(key)).allowed
