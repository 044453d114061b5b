"""The bulkhead: a slow backend holds its own places and nobody else's."""

import asyncio
from contextlib import ExitStack

import pytest

from proxy.limits.concurrency import (
    LISTENERS_MAX,
    LISTENERS_OF_ONE_MAX,
    QUEUE_MAX,
    QUEUE_WAIT_S,
    Bulkhead,
    Listeners,
    Shares,
    Streams,
)
from proxy.refusals import Overloaded, TooManyCalls, TooManyStreams
from tests.proxy.plans import backend_plan

JOBS = backend_plan(name="jobs", max_concurrency=2)
PEOPLE = backend_plan(name="people", max_concurrency=1)


async def test_a_full_backend_takes_nobody_and_says_so_within_a_moment() -> None:
    bulkhead, loop = Bulkhead(), asyncio.get_running_loop()
    await bulkhead.enter(JOBS)
    await bulkhead.enter(JOBS)
    asked_at = loop.time()
    with pytest.raises(Overloaded):
        await bulkhead.enter(JOBS)
    assert QUEUE_WAIT_S * 0.9 <= loop.time() - asked_at < QUEUE_WAIT_S + 1


async def test_the_other_backends_are_not_affected() -> None:
    bulkhead = Bulkhead()
    await bulkhead.enter(JOBS)
    await bulkhead.enter(JOBS)
    await bulkhead.enter(PEOPLE)


async def test_a_place_given_back_is_free() -> None:
    bulkhead = Bulkhead()
    for _call in range(10):
        await bulkhead.enter(PEOPLE)
        bulkhead.leave(PEOPLE)
    await bulkhead.enter(PEOPLE)


async def test_a_narrowed_backend_counts_those_who_are_inside() -> None:
    bulkhead = Bulkhead()
    await bulkhead.enter(JOBS)
    with pytest.raises(Overloaded):
        await bulkhead.enter(backend_plan(name="jobs", max_concurrency=1))


async def test_who_waited_longest_gets_the_place() -> None:
    bulkhead = Bulkhead()
    await bulkhead.enter(PEOPLE)
    came_in: list[int] = []
    tasks: list[asyncio.Task[None]] = []

    async def come(number: int) -> None:
        await bulkhead.enter(PEOPLE)
        came_in.append(number)
        bulkhead.leave(PEOPLE)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            tasks.append(group.create_task(come(number)))
            await asyncio.sleep(0)
        bulkhead.leave(PEOPLE)
    assert came_in == [0, 1, 2]


async def test_the_queue_is_short_and_the_next_is_refused_at_once() -> None:
    bulkhead = Bulkhead()
    await bulkhead.enter(PEOPLE)
    waiting = [asyncio.ensure_future(bulkhead.enter(PEOPLE)) for _place in range(QUEUE_MAX)]
    await asyncio.sleep(0)
    asked_at = asyncio.get_running_loop().time()
    with pytest.raises(Overloaded):
        await bulkhead.enter(PEOPLE)
    assert asyncio.get_running_loop().time() - asked_at < QUEUE_WAIT_S / 2
    heard = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in heard] == [Overloaded] * QUEUE_MAX


async def test_who_leaves_the_queue_takes_no_place_with_them() -> None:
    bulkhead = Bulkhead()
    await bulkhead.enter(PEOPLE)
    leaving = asyncio.ensure_future(bulkhead.enter(PEOPLE))
    await asyncio.sleep(0)
    # The place comes and the caller goes in the same breath
    bulkhead.leave(PEOPLE)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await bulkhead.enter(PEOPLE)


# Shares


async def test_a_call_of_one_person_ends_and_the_next_of_theirs_has_its_place() -> None:
    shares, wide = Shares(), backend_plan(max_concurrency=4)
    assert shares.take(wide, 1)
    assert shares.take(wide, 1)
    assert not shares.take(wide, 1)
    waiting = [asyncio.ensure_future(shares.wait(wide, 1)) for _call in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyCalls):
        await shares.wait(wide, 1)
    assert shares.take(wide, 2)
    for each in waiting:
        shares.leave(wide, 1)
        await each
    assert not shares.take(wide, 1)
    for person in (1, 1, 2):
        shares.leave(wide, person)
    assert shares.is_empty


async def test_whoever_waits_in_vain_or_leaves_takes_nothing_with_them() -> None:
    shares, wide, loop = Shares(), backend_plan(max_concurrency=2), asyncio.get_running_loop()
    assert shares.take(wide, 1)
    asked_at = loop.time()
    with pytest.raises(TooManyCalls):
        await shares.wait(wide, 1)
    assert QUEUE_WAIT_S * 0.9 <= loop.time() - asked_at < QUEUE_WAIT_S + 1
    leaving = asyncio.ensure_future(shares.wait(wide, 1))
    await asyncio.sleep(0)
    shares.leave(wide, 1)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert shares.is_empty


async def test_a_narrowed_share_is_not_passed_on() -> None:
    shares, wide, narrow = Shares(), backend_plan(max_concurrency=4), backend_plan(max_concurrency=2)
    for _call in range(2):
        assert shares.take(wide, 1)
    waiting = asyncio.ensure_future(shares.wait(narrow, 1))
    await asyncio.sleep(0)
    shares.leave(narrow, 1)
    await asyncio.sleep(0)
    assert not waiting.done()
    shares.leave(narrow, 1)
    await waiting


# Streams


def test_one_caller_has_half_of_the_places_for_streams() -> None:
    streams, wide = Streams(), backend_plan(max_concurrency=5)
    with ExitStack() as open_ones:
        for _stream in range(2):
            open_ones.enter_context(streams.opened(wide, "user:1"))
        with pytest.raises(TooManyStreams):
            streams.check(wide, "user:1")
        with pytest.raises(TooManyStreams):
            open_ones.enter_context(streams.opened(wide, "user:1"))
        streams.check(wide, "user:2")
        streams.check(PEOPLE, "user:1")
    assert not streams.are_open
    streams.check(wide, "user:1")


def test_a_backend_with_one_place_still_takes_a_stream() -> None:
    with Streams().opened(PEOPLE, "user:1"):
        pass


# Listeners


def test_nobody_listens_so_often_that_others_cannot() -> None:
    listeners = Listeners()
    for _stream in range(LISTENERS_OF_ONE_MAX):
        listeners.enter("user:1")
    with pytest.raises(TooManyStreams):
        listeners.enter("user:1")
    for number in range(LISTENERS_MAX - LISTENERS_OF_ONE_MAX):
        listeners.enter(f"user:2{number}")
    with pytest.raises(Overloaded):
        listeners.enter("user:3")
    listeners.leave("user:1")
    listeners.enter("user:3")
    with pytest.raises(Overloaded):
        listeners.enter("user:1")
