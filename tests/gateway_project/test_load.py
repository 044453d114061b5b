"""How much a process takes on, what it keeps free, and how it stops."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from gateway_project import load as module
from gateway_project.load import (
    AT_LEAST,
    AT_ONCE,
    AT_ONCE_ORDINARY,
    AWAITED_AT_ONCE,
    LATE_TICKS,
    TICK_S,
    Load,
)
from proxy.refusals import Overloaded, Unavailable


@pytest.fixture
async def load() -> AsyncIterator[Load]:
    started = Load()
    started.start()
    yield started
    await started.stop()


class Held:
    """Requests that are admitted and go on until they are told to end."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.ended: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def add(self, number: int, *, is_ordinary: bool = True) -> None:
        """That many more; raises what the first refused one hears."""
        before = len(self.tasks)
        self.tasks += [asyncio.create_task(self._request(is_ordinary=is_ordinary)) for _each in range(number)]
        await asyncio.sleep(0)
        for task in self.tasks[before:]:
            if task.done():
                await task

    async def _request(self, *, is_ordinary: bool) -> None:
        self._load.check(is_ordinary=is_ordinary)
        with self._load.carrying(is_ordinary=is_ordinary):
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                self.ended.append("cut")
                raise

    async def end(self) -> None:
        """All of them leave."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_whoever_asks_for_pages_takes_no_room_of_calls(load: Load) -> None:
    held = Held(load)
    await held.add(AT_ONCE, is_ordinary=False)
    await held.add(AT_ONCE_ORDINARY)
    with pytest.raises(Overloaded):
        await held.add(1)
    await held.end()


async def test_beyond_a_number_calls_are_refused_and_sign_in_still_has_room(load: Load) -> None:
    held = Held(load)
    await held.add(AT_ONCE_ORDINARY)
    with pytest.raises(Overloaded) as refusal:
        await held.add(1)
    assert (refusal.value.status, dict(refusal.value.headers)["retry-after"]) == (503, "1")
    await held.add(AT_ONCE - AT_ONCE_ORDINARY, is_ordinary=False)
    with pytest.raises(Overloaded):
        await held.add(1, is_ordinary=False)
    await held.end()
    await held.add(AT_ONCE_ORDINARY)
    await held.end()


async def test_bodies_that_are_awaited_take_nobodys_room_and_are_not_without_number(load: Load) -> None:
    async def awaits() -> None:
        with load.awaiting():
            await asyncio.sleep(3600)

    tasks = [asyncio.create_task(awaits()) for _each in range(AWAITED_AT_ONCE)]
    await asyncio.sleep(0)
    assert load.in_flight == 0
    load.check(is_ordinary=True)
    with pytest.raises(Overloaded):
        await awaits()
    assert not any(task.done() for task in tasks)
    await load.stop()
    assert all(task.cancelled() for task in tasks)


async def late(ticks: int) -> None:
    """Let the loop be late so often in a row."""
    for _tick in range(ticks):
        time.sleep(1.5 * TICK_S)  # noqa: ASYNC251 - what is tested
        await asyncio.sleep(0.001)


async def test_a_loop_that_stays_late_takes_on_less_and_more_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE_ORDINARY", AT_LEAST + 5)
    load = Load()
    load.start()
    held = Held(load)
    await held.add(AT_LEAST)
    await late(LATE_TICKS + 1)
    with pytest.raises(Overloaded):
        await held.add(1)
    await held.add(1, is_ordinary=False)
    async with asyncio.timeout(5):
        while True:
            await asyncio.sleep(TICK_S)
            with suppress(Overloaded):
                await held.add(1)
                break
    await held.end()
    # However late it is, it carries so many
    await late(2 * LATE_TICKS)
    await held.add(AT_LEAST)
    await held.end()
    await load.stop()


async def test_one_late_tick_is_no_overload(load: Load) -> None:
    held = Held(load)
    await held.add(AT_ONCE_ORDINARY - 1)
    await late(1)
    await held.add(1)
    await held.end()


async def test_a_process_that_is_told_to_stop_takes_nothing_more_and_cuts_what_does_not_end(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DRAIN_S", 0.2)
    held = Held(load)
    await held.add(2)
    load.drain()
    with pytest.raises(Unavailable) as refusal:
        await held.add(1, is_ordinary=False)
    assert (refusal.value.reason, dict(refusal.value.headers)["connection"]) == ("shutdown", "close")
    await asyncio.sleep(0)
    assert held.ended == []
    async with asyncio.timeout(5):
        await asyncio.gather(*held.tasks, return_exceptions=True)
    assert held.ended == ["cut", "cut"]


async def test_the_signal_is_heard_beside_the_servers_own_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    usual = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    told: list[str] = []
    load = Load(on_drain=lambda: told.append("drain"))
    load.start()
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.01)
        assert (load.is_draining, heard, told) == (True, [signal.SIGTERM], ["drain"])
        await load.stop()
        assert callable(signal.getsignal(signal.SIGTERM))
        os.kill(os.getpid(), signal.SIGTERM)
        assert len(heard) == 2
    finally:
        signal.signal(signal.SIGTERM, usual)


async def test_the_end_cuts_whatever_is_left(load: Load) -> None:
    held = Held(load)
    await held.add(1)
    await load.stop()
    assert held.ended == ["cut"]
