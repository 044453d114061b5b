"""The request body as ASGI delivers it: counted, timed, and in memory only while it is small."""

import asyncio
import math
from collections.abc import AsyncIterator

from proxy.entrypoints.asgi_types import Receive
from proxy.limits.concurrency import AwaitedBodies
from proxy.pipeline.call import ClientGone
from proxy.refusals import RequestTimeout, TooLarge

# Up to here a body is read whole: it can be signed, and most of them are smaller
WHOLE_MAX = 65_536
# A body may start slowly, then it must keep up
GRACE_S = 10.0
MIN_BYTES_PER_S = 1024


class RequestBody:
    """One request's body. `length` is the announced one in bytes, None when there is none.

    `is_absent`: the head announces no body, so there is none (RFC 9112 section 6.3), and nobody need wait for its end.
    One that comes slowly counts among the `awaited` of its `address`, and is given up when they are too many.
    """

    def __init__(
        self,
        receive: Receive,
        *,
        length: int | None,
        is_absent: bool = False,
        awaited: AwaitedBodies | None = None,
        address: str = "",
    ) -> None:
        self.length = length
        self.received = 0
        self.finished = asyncio.Event()
        if is_absent:
            self.finished.set()
        self._receive = receive
        self._more = not is_absent
        self._limit = 0
        self._until = math.inf
        self._waited_s = 0.0
        self._awaited = awaited or AwaitedBodies()
        self._address = address

    async def open(self, *, limit: int, until: float = math.inf) -> bytes | AsyncIterator[bytes] | None:
        """The body: whole when it is small, else in chunks; None without one."""
        self._limit, self._until = limit, until
        parts = []
        while self._more and self.received <= WHOLE_MAX:
            parts.append(await self._next())
        start = b"".join(parts)
        if self._more:
            return self._chunks(start)
        return start or (b"" if self.length == 0 else None)

    async def _chunks(self, start: bytes) -> AsyncIterator[bytes]:
        yield start
        while self._more:
            chunk = await self._next()
            if chunk:
                yield chunk

    async def _next(self) -> bytes:
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        # Of the time only what was spent waiting for the client: a backend that reads slowly is not its fault
        due = asked_at + GRACE_S + self.received / MIN_BYTES_PER_S - self._waited_s
        try:
            async with asyncio.timeout_at(min(due, self._until)) as timeout:
                with self._awaited.one(self._address, give_up=lambda: timeout.reschedule(loop.time())):
                    message = await self._receive()
        except TimeoutError:
            raise RequestTimeout(headers=(("connection", "close"),)) from None
        self._waited_s += loop.time() - asked_at
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        self.received += len(chunk)
        if self.received > self._limit:
            raise TooLarge(self._limit)
        self._more = message.get("more_body", False)
        if not self._more:
            self.finished.set()
        return chunk
