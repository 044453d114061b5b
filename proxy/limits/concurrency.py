"""Calls at the same time: a bulkhead for each backend, so that a slow one cannot hold every connection."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from proxy.catalogue.plans import BackendPlan
from proxy.refusals import Overloaded, TooManyStreams

# A short queue takes up what comes in one breath; a long one would only make everybody late
QUEUE_MAX = 16
QUEUE_WAIT_S = 0.25
# Of what one process carries at a time, all backends together: who only listens may keep nobody from calling
LISTENERS_MAX = 64
LISTENERS_OF_ONE_MAX = 8


@dataclass(slots=True)
class _Room:
    inside: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Bulkhead:
    """Counts the calls of this process that are at each backend."""

    def __init__(self) -> None:
        self._rooms: dict[str, _Room] = {}

    @property
    def is_crowded(self) -> bool:
        """Whether there is a backend at which a call has no prospect of a place."""
        return any(len(room.waiting) >= QUEUE_MAX for room in self._rooms.values())

    def check(self, backend: BackendPlan) -> None:
        """Whether a call has any prospect of a place.

        Raises:
            Overloaded: no, too many wait already.
        """
        room = self._rooms.get(backend.name)
        if room is not None and room.inside >= backend.max_concurrency and len(room.waiting) >= QUEUE_MAX:
            raise Overloaded

    async def enter(self, backend: BackendPlan) -> None:
        """Take a place, at once or within a quarter of a second.

        Raises:
            Overloaded: `max_concurrency` calls are at the backend already, and too many wait or none came out in time.
        """
        self.check(backend)
        room = self._rooms.get(backend.name) or self._rooms.setdefault(backend.name, _Room())
        if room.inside < backend.max_concurrency:
            room.inside += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        room.waiting.append(place)
        try:
            async with asyncio.timeout(QUEUE_WAIT_S):
                await place
        except BaseException as fault:
            if place.done() and not place.cancelled():
                # It was given at the moment of giving up
                self.leave(backend)
            elif place in room.waiting:
                room.waiting.remove(place)
            if isinstance(fault, TimeoutError):
                raise Overloaded from None
            raise

    def leave(self, backend: BackendPlan) -> None:
        """Give the place back, to whoever waits for it the longest."""
        room = self._rooms[backend.name]
        while room.waiting and room.inside <= backend.max_concurrency:
            place = room.waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        room.inside -= 1
        if not room.inside and not room.waiting:
            del self._rooms[backend.name]


class Streams:
    """Counts the open streams of each caller at each backend: they last, so that one caller could hold every place.

    Half of a backend's places is the most, and one at least.
    """

    def __init__(self) -> None:
        self._open: Counter[tuple[str, str]] = Counter()

    @property
    def are_open(self) -> bool:
        """Whether anybody has one."""
        return bool(self._open)

    def check(self, backend: BackendPlan, caller: str) -> None:
        """Whether `caller` may open one more there.

        Raises:
            TooManyStreams: no.
        """
        if self._open[backend.name, caller] >= max(1, backend.max_concurrency // 2):
            raise TooManyStreams

    @contextmanager
    def opened(self, backend: BackendPlan, caller: str) -> Iterator[None]:
        """Count one for as long as the block lasts.

        Raises:
            TooManyStreams: one too many.
        """
        self.check(backend, caller)
        key = backend.name, caller
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


class Listeners:
    """Counts those that only wait for what a backend says by itself; calls have their places apart."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def check(self, caller: str) -> None:
        """Whether `caller` may listen once more.

        Raises:
            TooManyStreams: not this caller.
            Overloaded: nobody.
        """
        if self._open[caller] >= LISTENERS_OF_ONE_MAX:
            raise TooManyStreams
        if self._open.total() >= LISTENERS_MAX:
            raise Overloaded

    def enter(self, caller: str) -> None:
        """Count one more; `leave` must follow.

        Raises:
            TooManyStreams, Overloaded: as `check`.
        """
        self.check(caller)
        self._open[caller] += 1

    def leave(self, caller: str) -> None:
        """It listens no more."""
        self._open[caller] -= 1
        if not self._open[caller]:
            del self._open[caller]
