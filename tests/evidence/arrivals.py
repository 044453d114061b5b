"""Calls that come at a set rate, whether or not those before them are answered.

A crowd does so, where callers who wait for their answer ask the less the slower they are served. They ask from a
process of their own, so as not to slow down the backend, which is in this one.
"""

import asyncio
import contextlib
import itertools
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.evidence.load import Heard

HOST = "127.0.0.1"
# In a request, where its mark goes
MARK = "{mark}"
PATIENCE_S = 40.0
# At once; whoever finds none free waits for one, and that counts as theirs
CONNECTIONS = 900
# Half of what the gateway gives one on which nobody asks: what is sent while it closes reaches nobody (RFC 9112
# section 9.5), and says nothing about what it carries
IDLE_MAX_S = 5.0
_HEAD_ENDS = b"\r\n\r\n"
_CHUNKS_END = b"0\r\n\r\n"


def at_rate(port: int, requests: Sequence[bytes], *, per_second: float, seconds: float) -> list[Heard]:
    """Send `requests` by turns, each time with a mark of its own, so often for so long; returns all that was heard.

    A call takes a connection on which nothing is asked, or a new one. Its time counts from when it was due.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as other:
        return other.submit(_at_rate, port, requests, per_second, seconds).result()


def in_turn(port: int, requests: Sequence[bytes], *, callers: int, seconds: float) -> list[Heard]:
    """The same from so many callers, each of whom asks again as soon as they are answered."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as other:
        return other.submit(_in_turn, port, requests, callers, seconds).result()


def _at_rate(port: int, requests: Sequence[bytes], per_second: float, seconds: float) -> list[Heard]:
    return asyncio.run(_Crowd(port, requests).arrive(per_second=per_second, seconds=seconds))


def _in_turn(port: int, requests: Sequence[bytes], callers: int, seconds: float) -> list[Heard]:
    return asyncio.run(_Crowd(port, requests).wait_for_each_other(callers=callers, seconds=seconds))


class _Crowd:
    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        self._port = port
        self._requests = itertools.cycle(requests)
        # And since when; the last is taken first
        self._free: list[tuple[_Connection, float]] = []
        self._connections = asyncio.Semaphore(CONNECTIONS)
        self._heard: list[Heard] = []

    async def arrive(self, *, per_second: float, seconds: float) -> list[Heard]:
        started = time.monotonic()
        async with asyncio.TaskGroup() as calls:
            for number in range(int(per_second * seconds)):
                due = started + number / per_second
                if (ahead := due - time.monotonic()) > 0:
                    await asyncio.sleep(ahead)
                _call = calls.create_task(self._call(f"m{number}x", due))
        return self._close()

    async def wait_for_each_other(self, *, callers: int, seconds: float) -> list[Heard]:
        until = time.monotonic() + seconds
        numbers = itertools.count()

        async def caller() -> None:
            while (now := time.monotonic()) < until:
                await self._call(f"m{next(numbers)}x", now)

        await asyncio.gather(*(caller() for _number in range(callers)))
        return self._close()

    def _close(self) -> list[Heard]:
        for connection, _since in self._free:
            connection.transport.close()
        return self._heard

    async def _call(self, mark: str, due: float) -> None:
        head, body = b"", b""
        async with self._connections:
            with contextlib.suppress(ConnectionError, TimeoutError):
                connection = self._kept() or await self._connected()
                head, body = await connection.ask(next(self._requests).replace(MARK.encode(), mark.encode()))
                if not connection.transport.is_closing():
                    self._free.append((connection, time.monotonic()))
        status = int(head[9:12]) if head else 0
        self._heard.append(
            Heard(mark=mark, status=status, head=head.decode("latin-1"), body=body, took_s=time.monotonic() - due)
        )

    def _kept(self) -> "_Connection | None":
        while self._free:
            connection, since = self._free.pop()
            if time.monotonic() - since < IDLE_MAX_S and not connection.transport.is_closing():
                return connection
            connection.transport.close()
        return None

    async def _connected(self) -> "_Connection":
        async with asyncio.timeout(PATIENCE_S):
            loop = asyncio.get_running_loop()
            return (await loop.create_connection(_Connection, HOST, self._port))[1]


class _Connection(asyncio.Protocol):
    """One question at a time."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._data = b""
        self._answer: asyncio.Future[tuple[bytes, bytes]] | None = None

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """The head and the body of the answer."""
        self._data = b""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        async with asyncio.timeout(PATIENCE_S):
            return await self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Some of an answer."""
        self._data += data
        head, ended, body = self._data.partition(_HEAD_ENDS)
        if not ended or self._answer is None or self._answer.done():
            return
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        length = fields.get(b"content-length")
        if body.endswith(_CHUNKS_END) if length is None else len(body) >= int(length):
            if fields.get(b"connection") == b"close":
                self.transport.close()
            self._answer.set_result((head, body))

    def connection_lost(self, exc: Exception | None) -> None:
        """The question stays without an answer."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())
