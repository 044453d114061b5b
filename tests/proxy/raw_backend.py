"""A backend made of bytes: it remembers exactly what arrived and answers exactly what it was told."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.tcp_server import HOST, listening


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request as it was on the wire; `body` still has its framing, `connection` counts from 0."""

    head: bytes
    body: bytes
    connection: int

    @property
    def line(self) -> str:
        """The request line."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def target(self) -> str:
        """The request target, byte for byte."""
        return self.line.split(" ")[1]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header field in its order."""
        lines = self.head.decode("latin-1").split("\r\n")[1:-2]
        return [(name, value.strip()) for name, _colon, value in (line.partition(":") for line in lines)]

    def header(self, name: str) -> str:
        """The value of a header that must be there exactly once."""
        (value,) = self.values(name)
        return value

    def values(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for other, value in self.headers if other.lower() == name]

    @property
    def content(self) -> bytes:
        """The body without its framing."""
        return _unchunked(self.body) if self.values("transfer-encoding") else self.body


@dataclass(frozen=True, slots=True)
class Wire:
    """One connection, for a step of the script that does more than write."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def write(self, data: bytes) -> None:
        """Send bytes now."""
        self.writer.write(data)
        await self.writer.drain()

    async def until_closed(self) -> None:
        """Wait for the other side to close the connection."""
        with suppress(ConnectionError):
            while await self.reader.read(65_536):
                pass

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        at_once = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.writer.transport.abort()


Step = bytes | Callable[[Wire], Awaitable[None]]


def answer(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """A complete answer with its length; each header is a whole line."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def of_length(length: int, sent: bytes) -> bytes:
    """An answer that announces `length` bytes and has those of `sent`."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (length, sent)


def chunked(*chunks: bytes, headers: tuple[str, ...] = ()) -> bytes:
    """A complete answer in chunks."""
    head = "\r\n".join(["HTTP/1.1 200 OK", *headers, "Transfer-Encoding: chunked", "", ""]).encode("latin-1")
    return head + b"".join(map(chunk, chunks)) + chunk(b"")


def chunk(data: bytes) -> bytes:
    """One chunk of a body (RFC 9112 section 7.1); an empty one ends it."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def once(data: bytes) -> Step:
    """Write `data`, then close the connection."""

    async def step(wire: Wire) -> None:
        await wire.write(data)
        wire.close()

    return step


async def silence(wire: Wire) -> None:
    """Never answer; wait until the gateway gives up."""
    await wire.until_closed()


@dataclass
class RawBackend:
    """Takes the next step of its script for every request, and the last one for ever."""

    port: int = 0
    arrived: list[Arrived] = field(default_factory=list)
    connections: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _script: deque[Step] = field(default_factory=deque)
    _last: Step = field(default_factory=answer)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    def says(self, *steps: Step) -> None:
        """Set the script."""
        self._script = deque(steps)
        self._last = steps[-1]

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://{HOST}:{self.port}"

    @property
    def request(self) -> Arrived:
        """The only request that arrived."""
        (arrived,) = self.arrived
        return arrived

    async def heard(self) -> Arrived:
        """Wait for the next request that nobody waited for yet."""
        await asyncio.wait_for(self._heard.wait(), 5)
        self._heard.clear()
        return self.arrived[-1]

    @classmethod
    @asynccontextmanager
    async def listening(cls, *, port: int = 0) -> AsyncIterator["RawBackend"]:
        """A backend on the loopback, on a free port unless told; every connection is closed at the end."""
        backend = cls()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await backend._serve(Wire(reader, writer))
            writer.close()
            backend.closed.set()

        async with listening(serve, port=port) as backend.port:
            yield backend

    async def _serve(self, wire: Wire) -> None:
        number, self.connections = self.connections, self.connections + 1
        while not wire.writer.is_closing():
            head = await wire.reader.readuntil(b"\r\n\r\n")
            arrived = Arrived(head, await _body(wire.reader, Arrived(head, b"", number)), number)
            self.arrived.append(arrived)
            self._heard.set()
            step = self._script.popleft() if self._script else self._last
            if isinstance(step, bytes):
                await wire.write(step)
            else:
                await step(wire)


async def _body(reader: asyncio.StreamReader, request: Arrived) -> bytes:
    if not request.values("transfer-encoding"):
        return await reader.readexactly(int((request.values("content-length") or ["0"])[0]))
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        rest = await reader.readexactly(int(line.strip(), 16) + 2)
        body += line + rest
        if rest == b"\r\n":
            return body


def _unchunked(body: bytes) -> bytes:
    content = b""
    while body:
        line, _crlf, body = body.partition(b"\r\n")
        size = int(line, 16)
        content, body = content + body[:size], body[size + 2 :]
    return content
