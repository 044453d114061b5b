"""Calls at the same time: a bulkhead for each backend, so that a slow one cannot hold every connection.

Of its places one person has half at most, so that the slow calls of one cannot keep everybody else out.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from proxy.catalogue.plans import BackendPlan
from proxy.limits.addresses import address_network
from proxy.refusals import Overloaded, TooManyCalls, TooManyStreams

# A short queue takes up what comes in one breath; a long one would only make everybody late
QUEUE_MAX = 16
QUEUE_WAIT_S = 0.25
# Of what one process carries at a time, all backends together: who only listens may keep nobody from calling
LISTENERS_MAX = 64
LISTENERS_OF_ONE_MAX = 8
# Of bodies that come slowly, from one address: a part of what one process carries at a time, and half of a backend's
# places unless staff say otherwise. A call holds its place while its body is awaited, and may be counted only after it
AWAITED_OF_ONE_MAX = 32
# When a body is slow, and when where there are so many already
SLOW_AFTER_S, SLOW_AFTER_MANY_S = 0.25, 0.02
# An event loop that looks so much later than that was busy itself, and may have the body already
LATE_S = 0.01


_Queue = deque[asyncio.Future[None]]


@dataclass(slots=True)
class _Room:
    inside: int = 0
    waiting: _Queue = field(default_factory=deque)


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
        try:
            await _wait(room.waiting, give_back=partial(self.leave, backend))
        except TimeoutError:
            raise Overloaded from None

    def leave(self, backend: BackendPlan) -> None:
        """Give the place back, to whoever waits for it the longest."""
        room = self._rooms[backend.name]
        if room.inside <= backend.max_concurrency and _passed_on(room.waiting):
            return
        room.inside -= 1
        if not room.inside and not room.waiting:
            del self._rooms[backend.name]


class Shares:
    """Counts the calls of each person at each backend; as many more as may be there may wait for one to end."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, int], int] = {}
        self._waiting: dict[tuple[str, int], _Queue] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nobody has, or waits for, one."""
        return not (self._held or self._waiting)

    def check(self, backend: BackendPlan, person: int) -> None:
        """Whether a call of `person` has any prospect of a place there.

        Raises:
            TooManyCalls: no, too many wait already.
        """
        if not self._waiting:
            return
        key, most = (backend.name, person), backend.places_of_one
        if self._held.get(key, 0) >= most and len(self._waiting.get(key, ())) >= most:
            raise TooManyCalls

    def take(self, backend: BackendPlan, person: int) -> bool:
        """Count one more; False when `person` has as many there as one may have: `wait` then."""
        key = backend.name, person
        held = self._held.get(key, 0)
        if held >= backend.places_of_one:
            return False
        self._held[key] = held + 1
        return True

    async def wait(self, backend: BackendPlan, person: int) -> None:
        """Count one more as soon as another one of `person` ends, within a quarter of a second.

        Raises:
            TooManyCalls: none did, or too many wait already.
        """
        self.check(backend, person)
        key = backend.name, person
        queue = self._waiting.setdefault(key, deque())
        try:
            await _wait(queue, give_back=partial(self.leave, backend, person))
        except TimeoutError:
            raise TooManyCalls from None
        finally:
            if not queue and self._waiting.get(key) is queue:
                del self._waiting[key]

    def leave(self, backend: BackendPlan, person: int) -> None:
        """Give the place back, to whichever call of `person` waits for it the longest."""
        key = backend.name, person
        held = self._held[key]
        if self._waiting and held <= backend.places_of_one and _passed_on(self._waiting.get(key)):
            return
        if held > 1:
            self._held[key] = held - 1
        else:
            del self._held[key]


async def _wait(queue: _Queue, *, give_back: Callable[[], None]) -> None:
    """Wait for a place that somebody passes on.

    Raises:
        TimeoutError: nobody did in time.
    """
    place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    queue.append(place)
    try:
        async with asyncio.timeout(QUEUE_WAIT_S):
            await place
    except BaseException:
        if place.done() and not place.cancelled():
            # It was given at the moment of giving up
            give_back()
        elif place in queue:
            queue.remove(place)
        raise


def _passed_on(queue: _Queue | None) -> bool:
    """Give a place to whoever waits the longest; False when nobody does."""
    while queue:
        place = queue.popleft()
        if not place.done():
            place.set_result(None)
            return True
    return False


class Streams:
    """Counts the open streams of each caller at each backend: they last, so that one caller could hold every place.

    As many as one person may have calls there is the most.
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
        if self._open[backend.name, caller] >= backend.places_of_one:
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


class AwaitedBodies:
    """Counts the bodies that are awaited for a while, by the address they come from: they hold places as streams do."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    @contextmanager
    def one(self, address: str, *, give_up: Callable[[], None]) -> Iterator[None]:
        """Wait for a piece of one in the block; `give_up` is called when too many from `address` are waited for."""
        wait = _Wait(self._of, address_network(address), give_up)
        try:
            yield
        finally:
            wait.end()


class _Wait:
    """Looks, after a while, whether a body is still awaited, and counts it `of` its network if there is room."""

    def __init__(self, of: Counter[str], network: str, give_up: Callable[[], None]) -> None:
        self._of = of
        self._network = network
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._is_counted = False
        self._timer = self._set()

    def end(self) -> None:
        """It is here, or nobody waits for it any more."""
        self._timer.cancel()
        if self._is_counted:
            self._of[self._network] -= 1
            if not self._of[self._network]:
                del self._of[self._network]

    def _set(self) -> asyncio.TimerHandle:
        is_full = self._of[self._network] >= AWAITED_OF_ONE_MAX
        return self._loop.call_later(SLOW_AFTER_MANY_S if is_full else SLOW_AFTER_S, self._look)

    def _look(self) -> None:
        if self._loop.time() - self._timer.when() > LATE_S:
            self._timer = self._set()
        elif self._of[self._network] < AWAITED_OF_ONE_MAX:
            self._of[self._network] += 1
            self._is_counted = True
        else:
            self._give_up()


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
