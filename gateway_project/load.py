"""How much one process takes on: beyond that, callers hear at once that they should come back, and nobody waits."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

from proxy.refusals import Overloaded, Unavailable

# Requests in flight; the last tenth is for sign-in, tokens and whatever else the control plane answers. Of calls only
# calls are counted: whoever asks for pages again and again takes none of their room
AT_ONCE = 256
AT_ONCE_ORDINARY = 230
# Requests of the control plane whose body is awaited. They need no credential and may take half a minute, so they are
# counted apart: whoever sends them slowly takes nobody else's room
AWAITED_AT_ONCE = 256
# Whether the event loop keeps up is looked at so often. One that is so late so many times in a row has more to do than
# it can: it takes on a part of what it took, and more again step by step (as TCP does, RFC 5681 section 3.1), because
# the more calls are open the longer each of them waits, and waiting gets nobody served
TICK_S = 0.1
LAG_S = 0.01
LATE_TICKS = 2
LESS, MORE = 0.7, 10
AT_LEAST = 64
# How long running requests, streams included, may go on once the process is told to stop
DRAIN_S = 25.0
CUT_WITHIN_S = 2.0
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Load:
    """The requests of one process, from the front door to their last byte.

    `on_drain` is called in the event loop, once the process is told to stop.
    """

    def __init__(self, *, on_drain: Callable[[], None] = lambda: None) -> None:
        self.is_draining = False
        self._on_drain = on_drain
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ordinary: set[asyncio.Task[Any]] = set()
        self._others: set[asyncio.Task[Any]] = set()
        self._awaited: set[asyncio.Task[Any]] = set()
        self._room = AT_ONCE_ORDINARY
        self._late = 0
        self._expected = 0.0
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._handlers: dict[signal.Signals, Any] = {}

    @property
    def in_flight(self) -> int:
        """How many there are now."""
        return len(self._ordinary) + len(self._others)

    def start(self) -> None:
        """Watch the event loop, and the signals that end the process; both until `stop`."""
        self._loop = asyncio.get_running_loop()
        self._expected = self._loop.time()
        self._tick()
        if current_thread() is not main_thread():
            return
        for number in SIGNALS:
            # The server has its own way of hearing them, which this must not take away
            previous = signal.getsignal(number)
            if callable(previous):
                self._handlers[number] = previous
                signal.signal(number, self._on_signal)
                signal.siginterrupt(number, False)  # noqa: FBT003 - the library takes it so

    async def stop(self) -> None:
        """End what still runs, so that each request closes its record; the server has stopped listening."""
        for timer in self._timers.values():
            timer.cancel()
        for number, previous in self._handlers.items():
            signal.signal(number, previous)
        running = self._cut()
        if running:
            await asyncio.wait(running, timeout=CUT_WITHIN_S)

    def check(self, *, is_ordinary: bool) -> None:
        """Whether there is room for one more request. Ordinary ones leave some for the others.

        Raises:
            Unavailable: the process is being stopped.
            Overloaded: there are too many, or more than the event loop keeps up with.
        """
        if self.is_draining:
            refusal = Unavailable("This process is being stopped; send the call again.", reason="shutdown")
            refusal.headers = (*refusal.headers, ("connection", "close"))
            raise refusal
        if len(self._ordinary) >= self._room if is_ordinary else self.in_flight >= AT_ONCE:
            raise Overloaded("The gateway has as many calls as it can carry; send this one again later.")

    @contextmanager
    def carrying(self, *, is_ordinary: bool) -> Iterator[None]:
        """Count the request of the current task for as long as the block lasts."""
        task = asyncio.current_task()
        if task is None:
            yield
            return
        running = self._ordinary if is_ordinary else self._others
        running.add(task)
        try:
            yield
        finally:
            running.discard(task)

    @contextmanager
    def awaiting(self) -> Iterator[None]:
        """Count the request of the current task while its body is awaited.

        Raises:
            Overloaded: too many are awaited already.
        """
        task = asyncio.current_task()
        if task is None:
            yield
            return
        if len(self._awaited) >= AWAITED_AT_ONCE:
            refusal = Overloaded("Too many requests are being sent; send this one again later.")
            refusal.headers = (*refusal.headers, ("connection", "close"))
            raise refusal
        self._awaited.add(task)
        try:
            yield
        finally:
            self._awaited.discard(task)

    def drain(self) -> None:
        """Take on nothing more; what runs has so long."""
        if not self.is_draining:
            self.is_draining = True
            self._on_drain()
            self._timers["drain"] = asyncio.get_running_loop().call_later(DRAIN_S, self._cut)

    def _cut(self) -> set[asyncio.Task[Any]]:
        running = {*self._ordinary, *self._others, *self._awaited}
        for task in running:
            task.cancel()
        return running

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._late = self._late + 1 if now - self._expected > LAG_S else 0
        if self._late >= LATE_TICKS:
            self._room = max(AT_LEAST, int(self._room * LESS))
        elif not self._late:
            self._room = min(AT_ONCE_ORDINARY, self._room + MORE)
        self._expected = now + TICK_S
        self._timers["tick"] = loop.call_at(self._expected, self._tick)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.drain)
        self._handlers[signal.Signals(number)](number, frame)
