"""HTTP/1.1 to a backend: one connection, one exchange at a time, nothing left over for the next (RFC 9112).

Bytes are read by llhttp in its strict mode, sockets and TLS are asyncio's; what is here is which answer belongs to
which request, and when a connection may be used again.
"""

import asyncio
import select
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import cast

import httptools

from proxy.refusals import BackendNonsense, BadRequest, RequestTimeout
from proxy.upstream.transport import BodyWatch, Headers, UpstreamRequest

# A head of an answer beyond these is an attack or a fault, and so is a row of interim answers
HEAD_MAX_BYTES = 65_536
HEADERS_MAX = 256
INTERIM_MAX = 8
# Beyond the first the backend is not read from until what waits is below the second
BUFFER_HIGH_BYTES = 262_144
BUFFER_LOW_BYTES = 65_536
# A backend that had to wait longer for the caller, all in all, may have good reasons to break off
HELD_MAX_S = 1.0
FINAL_STATUS, LAST_STATUS = 200, 599
SWITCHING_PROTOCOLS = 101


class ClosedBeforeAnswer(Exception):
    """The connection ended without a byte of an answer; if it was a kept one, the request may never have been read."""


class Connection(asyncio.Protocol):
    """A socket to a backend. `exchange` is the one that is under way, None while it is idle.

    `surplus` is called when bytes arrive that belong to no exchange.
    """

    def __init__(self, surplus: Callable[[], None] = lambda: None) -> None:
        self.surplus = surplus
        self.exchange: Exchange | None = None
        self.is_lost = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport = cast("asyncio.Transport", None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes belong to the exchange under way; without one nobody asked for them, and nobody will get them."""
        if self.exchange is None:
            self.surplus()
            self.abort()
        else:
            self.exchange.feed(data)

    def eof_received(self) -> None:
        """The backend says no more: left alone, the connection would last until all of the request is sent."""
        # Not within this call, in which TLS has more to do with it
        asyncio.get_running_loop().call_soon(self.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.is_lost = True
        self._writable.set()
        if self.exchange is not None:
            self.exchange.lost(exc)

    def pause_writing(self) -> None:
        """The backend reads more slowly than we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It caught up."""
        self._writable.set()

    def pause_reading(self) -> None:
        """Let the backend wait."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Let it go on."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    async def write(self, data: bytes) -> None:
        """Send `data` once there is room.

        Raises:
            ConnectionResetError: the connection is lost.
        """
        if not self._writable.is_set():
            await self._writable.wait()
        if self.is_lost:
            raise ConnectionResetError
        self._transport.write(data)

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        # CPython 3.11 raises for a connection that is gone after it was closed with bytes still to send
        if not self.is_lost:
            self._transport.abort()

    @property
    def is_idle(self) -> bool:
        """Whether another request may use it: open, and silent to the last byte that the kernel holds."""
        if self.exchange is not None or self._transport.is_closing():
            return False
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)


class Exchange:
    """One request and its answer, fed by the connection and read by the caller; it is what llhttp calls back."""

    def __init__(self, connection: Connection, request: UpstreamRequest) -> None:
        self.status = 0
        self.headers: Headers = ()
        self._connection = connection
        self._request = request
        self._parser = httptools.HttpResponseParser(self)
        self._head: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fields: list[tuple[bytes, bytes]] = []
        self._fed = self._interims = self._buffered = 0
        self._chunks: list[bytes] = []
        self._arrived = asyncio.Event()
        self._complete = self._keep_alive = self._is_interim = self._is_paused = self._is_writing = False
        self._fault: Exception | None = None
        self._sender: asyncio.Task[None] | None = None
        self._watch: BodyWatch | None = None
        self._paused_at = self._held_s = 0.0
        connection.exchange = self

    async def start(self, head: bytes) -> None:
        """Send the request and wait for the head of its answer.

        Raises:
            ClosedBeforeAnswer: the connection ended before a byte of it.
            BackendNonsense: it is not HTTP.
            TimeoutError: it did not begin in time, or the deadline passed before.
            Exception: whatever reading the request's body raises.
        """
        if self._connection.is_lost:
            raise ClosedBeforeAnswer
        body, loop, deadline = self._request.body, asyncio.get_running_loop(), self._request.deadline
        if body is None or isinstance(body, bytes):
            with suppress(ConnectionResetError):
                await self._connection.write(head + body if body else head)
        else:
            self._sender = asyncio.create_task(self._send(head, body))
            late = loop.call_at(deadline, self._is_late)
            await asyncio.wait({self._sender, self._head}, return_when=asyncio.FIRST_COMPLETED)
            late.cancel()
        late = loop.call_at(min(deadline, loop.time() + self._request.first_byte_s), self._is_late)
        try:
            await self._head
        finally:
            late.cancel()

    @property
    def is_ready(self) -> bool:
        """Whether `read` returns at once."""
        return bool(self._chunks) or self._complete

    async def read(self) -> bytes:
        """What has arrived of the body, b"" at its end."""
        while not self._chunks:
            if self._complete:
                return b""
            if self._fault is not None:
                raise self._fault
            self._arrived.clear()
            await self._arrived.wait()
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        if self._is_paused:
            self._is_paused = False
            self._held_s += asyncio.get_running_loop().time() - self._paused_at
            self._connection.resume_reading()
        return data

    def watch(self, watch: BodyWatch) -> None:
        """Let `watch` hear what becomes of the body; it may have broken off in the same breath as the head came."""
        self._watch = watch
        if self._fault is not None:
            self._tell_fault(self._fault)

    def tell_broken(self, reason: str) -> None:
        """Say once that the body does not come, by the backend's fault."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.broke(reason)

    def end(self) -> bool:
        """Let the connection go; True when another request may use it, else it is closed."""
        is_sent = self._sender is None or (self._sender.done() and not self._sender.cancelled())
        if self._sender is not None:
            self._sender.cancel()
        if not self._head.cancel() and not self._head.cancelled():
            # Asked for, so that a fault nobody waited for is no warning
            self._head.exception()
        self._connection.exchange = None
        # It holds this exchange's methods: without the circle both are gone at once, and the collector has less to do
        del self._parser
        if self._watch is not None and self._complete:
            self._watch.ended()
        if self._complete and self._keep_alive and is_sent and self._fault is None and not self._is_paused:
            return True
        self._connection.abort()
        return False

    @property
    def fault_until_now(self) -> Exception | None:
        """What kept the answer from coming; None when it is the backend, which does not take the body or not answer."""
        if self._sender is None or self._sender.done() or self._is_writing:
            return self._fault
        return RequestTimeout(headers=(("connection", "close"),))

    async def _send(self, head: bytes, body: AsyncIterator[bytes]) -> None:
        try:
            await self._connection.write(head)
            async for framed in _framed(body, _length(self._request)):
                self._is_writing = True
                await self._connection.write(framed)
                self._is_writing = False
        except ConnectionResetError:
            # An answer that came before says more than this
            self._fail(BackendNonsense())
        except Exception as fault:  # noqa: BLE001 - whatever the client's body raises is for whoever waits
            self._fail(fault)

    # What the connection tells

    def feed(self, data: bytes) -> None:
        """Read some of the answer."""
        if self._complete:
            # A second answer, or a body where none may be: whose it is, nobody knows
            self._said_too_much()
            return
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._keep_alive = False
            self._fail(BackendNonsense(reason="backend_body_broken") if self._head.done() else BackendNonsense())
        if not self._head.done() and self._fed > HEAD_MAX_BYTES:
            self._fail(BackendNonsense())

    def lost(self, fault: Exception | None) -> None:
        """The connection ended: for an answer without any framing that is its end (RFC 9112 section 6.3, rule 8).

        Unless it ended with a `fault` (section 8), a reset or one of this exchange's own.
        """
        if not self._head.done() and not self._fed:
            self._fail(ClosedBeforeAnswer())
        elif self._head.done() and not self._is_framed() and not (fault or self._fault):
            self._complete = True
            self._arrived.set()
        else:
            self._fail(BackendNonsense(reason="backend_body_broken") if self._head.done() else BackendNonsense())

    # What llhttp calls

    def on_message_begin(self) -> None:
        """Another answer begins; after the one that was asked for, none may."""
        if self._complete:
            self._said_too_much()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field."""
        if self._complete:
            return
        if len(self._fields) >= HEADERS_MAX:
            raise BackendNonsense
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is here, be it an interim one."""
        if self._complete:
            # Of a surplus answer that came in the same breath: it must not stand in the head of the one before
            return
        status = self._parser.get_status_code()
        if status < FINAL_STATUS:
            self._interims += 1
            if status == SWITCHING_PROTOCOLS or self._interims > INTERIM_MAX:
                raise BackendNonsense
            self._is_interim = True
            self._fields.clear()
            return
        if status > LAST_STATUS:
            # RFC 9110 section 15: invalid, and to be taken for a fault of the server
            raise BackendNonsense
        self.status = status
        # A value outside ASCII is read differently by everybody: it alone is left out
        self.headers = tuple(
            (name.decode().lower(), value.decode())
            for name, value in self._fields
            if name.isascii() and value.isascii()
        )
        if not self._head.done():
            self._head.set_result(None)
        if self._request.method == "HEAD":
            # llhttp cannot be told that no body follows: the connection is not used again
            self._complete = True

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        if self._complete:
            return
        self._chunks.append(body)
        self._buffered += len(body)
        self._arrived.set()
        if self._buffered > BUFFER_HIGH_BYTES and not self._is_paused:
            self._is_paused = True
            self._paused_at = asyncio.get_running_loop().time()
            self._connection.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._is_interim:
            self._is_interim = False
        elif not self._complete:
            self._complete = True
            self._keep_alive = self._parser.should_keep_alive()
            self._arrived.set()

    def _is_late(self) -> None:
        if not self._head.done():
            self._head.set_exception(TimeoutError())

    def _said_too_much(self) -> None:
        self._keep_alive = False
        self._connection.surplus()

    def _is_framed(self) -> bool:
        return any(name in {"content-length", "transfer-encoding"} for name, _value in self.headers)

    def _tell_fault(self, fault: Exception) -> None:
        # What the body of a request raises is no fault of the backend; nor is it one to break off what nobody takes,
        # or a stream that outlives a call: a server that is stopped ends them all
        is_in_time = asyncio.get_running_loop().time() < self._request.deadline
        if isinstance(fault, BackendNonsense) and self._held_s < HELD_MAX_S and is_in_time:
            self.tell_broken(fault.reason)

    def _fail(self, fault: Exception) -> None:
        if self._complete:
            return
        if self._fault is None and self._head.done():
            self._tell_fault(fault)
        self._fault = self._fault or fault
        self._arrived.set()
        if not self._head.done():
            self._head.set_exception(self._fault)
        self._connection.abort()


async def _framed(body: AsyncIterator[bytes], length: int | None) -> AsyncIterator[bytes]:
    """`body` as it goes on the wire: in chunks when its `length` is unknown (RFC 9112 section 7.1), else as it is."""
    if length is None:
        async for piece in body:
            # An empty chunk would end the body
            if piece:
                yield b"%x\r\n%b\r\n" % (len(piece), piece)
        yield b"0\r\n\r\n"
        return
    async for piece in body:
        length -= len(piece)
        if length < 0:
            # The backend would take the rest for another request
            break
        yield piece
    if length:
        raise BadRequest("The body does not have the length that was announced.", reason="body_length")


def _length(request: UpstreamRequest) -> int | None:
    return next((int(value) for name, value in request.headers if name == "content-length"), None)


def head_of(request: UpstreamRequest, *, authority: str) -> bytes:
    """The head of a request as bytes.

    Raises:
        ValueError: a field holds a line break.
    """
    lines = [f"{request.method} {request.target} HTTP/1.1", f"host: {authority}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if not (request.body is None or isinstance(request.body, bytes)) and _length(request) is None:
        lines.append("transfer-encoding: chunked")
    text = "\r\n".join([*lines, "", ""])
    if text.count("\r") != len(lines) + 1 or text.count("\n") != len(lines) + 1:
        raise ValueError("a line break inside a field")
    return text.encode("latin-1")
