"""What a server behind this one says outside of a call: the stream that a client opens with GET, in its session."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from proxy.entrypoints.mcp.caller import Reply
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.inner_call import JsonBody, carry
from proxy.entrypoints.mcp.messages import LIST_CHANGED, JsonObject
from proxy.entrypoints.mcp.questions import is_put
from proxy.entrypoints.mcp.relay import backend_of, carrying_message, protocol_operation
from proxy.entrypoints.mcp.resources import may_read
from proxy.entrypoints.mcp.session import SessionOver
from proxy.entrypoints.mcp.upstream_call import MESSAGE_MAX_BYTES, Heard, UpstreamCall
from proxy.pipeline.call import Answer, Named, Received
from proxy.pipeline.record import Record
from proxy.pipeline.route import EVENT_STREAM_MAX_S
from proxy.refusals import (
    BackendNonsense,
    BackendTokenRefused,
    DeadlinePassed,
    MethodNotAllowed,
    NotAcceptable,
    NotRegistered,
    Refusal,
)
from proxy.upstream.mcp.answers import EVENT_STREAM, kind_of, messages
from proxy.upstream.mcp.faults import McpFault
from proxy.upstream.mcp.outgoing import Outgoing, server_stream

# Who has lost access does not listen any longer than this
CHECK_S: Final = 1.0
KEEP_ALIVE_S: Final = 15.0
# Between two events (HTML, section 9.2.6: an empty line ends one)
_BETWEEN_EVENTS: Final = (b"\n\n", b"\r\r", b"\n\r\n")
UPDATED: Final = "notifications/resources/updated"
_PASSED: Final = LIST_CHANGED | {"notifications/message", "notifications/elicitation/complete"}
REFUSED: Final = frozenset({401, 403})


async def open_stream(exchange: Exchange) -> Reply:
    """GET: what the server says by itself, as it comes (2025-11-25, streamable HTTP, listening for messages).

    Raises:
        MethodNotAllowed: no session is named, or that server has no such stream.
        NotAcceptable: the client takes no events.
        Refusal: before anything was sent; later it ends the stream, which has no place for an error.
    """
    session = exchange.session
    if session is None:
        raise MethodNotAllowed(headers=(("allow", "POST, OPTIONS"),))
    if not exchange.stream.is_open:
        raise NotAcceptable("What the server says comes as events: accept text/event-stream.")
    upstream = UpstreamCall(version=session.version, session_id=session.upstream_id)
    try:
        await carry(exchange, _request(exchange, upstream), ServerStream(exchange, upstream).relay)
    except Refusal:
        if not exchange.stream.has_begun:
            raise
    return Reply(None)


def _request(exchange: Exchange, upstream: UpstreamCall) -> Received:
    backend = backend_of(exchange, exchange.server.backend)
    operation = protocol_operation(exchange, backend, exchange.message.method)
    outgoing = Outgoing(server_stream(upstream.session_id, version=upstream.version), b"")
    received = carrying_message(exchange, backend, operation, outgoing, upstream.route)
    named = Named(operation, exchange.server, backend=backend.name, router=upstream.route, only_listens=True)
    return replace(received, method="GET", body=JsonBody(None), named=named)


class ServerStream:
    """Passes on what is for the caller, for as long as the caller may call the server."""

    def __init__(self, exchange: Exchange, upstream: UpstreamCall) -> None:
        self._exchange = exchange
        self._upstream = upstream
        self._caller = exchange.caller
        self._seen = self._revisions()
        self._silent_until = 0.0

    async def relay(self, answer: Answer, record: Record) -> None:
        """All of it; silence, or an hour, is a good end, and so is that of the process: the client comes again.

        Raises:
            Refusal: the server has no such stream or sends something else, or the caller has lost access.
        """
        _check_status(answer)
        # Its head goes out with the first bytes, which may be long in coming
        await self._keep_alive()
        await self._hear_all(answer, record)

    async def _hear_all(self, answer: Answer, record: Record) -> bool:
        """Listen to the end, and tell whether it is one of this side: nothing is wrong, it was only long enough."""
        draining = self._exchange.gateway.draining
        try:
            async with asyncio.timeout_at(self._caller.received.started + EVENT_STREAM_MAX_S):
                watched = _Watched(answer, record, self._watch, draining)
                async for document in messages(watched, max_bytes=MESSAGE_MAX_BYTES):
                    await self._hear(document)
        except (TimeoutError, DeadlinePassed):
            return True
        except McpFault:
            raise BackendNonsense(reason="mcp_unreadable") from None
        return draining.is_set()

    async def _hear(self, document: JsonObject) -> None:
        method, params = document.get("method"), document.get("params")
        # A response here answers nothing that anybody asked
        if not isinstance(method, str):
            return
        await self._identify()
        params = params if isinstance(params, dict) else {}
        if "id" in document:
            await is_put(document, self._exchange, self._upstream)
            return
        if method in LIST_CHANGED:
            self._exchange.gateway.lists_changed(self._caller.server.backend)
        await self._told(method, params)

    async def _told(self, method: str, params: JsonObject) -> None:
        """Pass a notification on, if it is for the caller."""
        if method in _PASSED or (method == UPDATED and may_read(self._caller, params.get("uri"))):
            await self._tell(method, params)

    async def _tell(self, method: str, params: JsonObject) -> None:
        named = {"params": params} if params else {}
        await self._exchange.stream.tell({"jsonrpc": "2.0", "method": method, **named})

    async def _watch(self) -> None:
        """Between messages: the token is looked at again when something was revoked or changed, or it is too old."""
        expires_at = self._caller.principal.expires_at
        if self._seen != self._revisions() or (expires_at and expires_at <= time.time()):
            await self._identify()
        if asyncio.get_running_loop().time() >= self._silent_until:
            await self._keep_alive()

    async def _identify(self) -> None:
        gateway, received = self._exchange.gateway, self._caller.received
        self._seen, snapshot = self._revisions(), gateway.watcher.snapshot
        server = snapshot.servers.get(self._caller.server.path)
        if server is None or server.backend not in snapshot.backends:
            raise NotRegistered
        principal = await gateway.identifier.bearer(received, snapshot, server, server.scopes)
        self._caller = replace(self._caller, server=server, snapshot=snapshot, principal=principal)

    async def _keep_alive(self) -> None:
        self._be_silent()
        await self._exchange.stream.keep_alive()

    def _be_silent(self) -> None:
        self._silent_until = asyncio.get_running_loop().time() + KEEP_ALIVE_S

    def _revisions(self) -> tuple[int, int]:
        watcher = self._exchange.gateway.watcher
        return watcher.revocation_revision, watcher.snapshot.revision


class _Watched(Heard):
    """An answer that is waited for, with a look around every second and after each piece; while `draining` no longer.

    An event of which some is here is waited for all the same.
    """

    def __init__(
        self, answer: Answer, record: Record, watch: Callable[[], Awaitable[None]], draining: asyncio.Event
    ) -> None:  # fmt: skip
        super().__init__(answer, record)
        self._watch = watch
        self._draining = draining
        self._tail = b""

    async def read(self) -> bytes:
        """The next bytes, b"" at the end."""
        reading = asyncio.ensure_future(super().read())
        try:
            while not reading.done():
                await asyncio.wait({reading}, timeout=CHECK_S)
                await self._watch()
                if not reading.done() and self._draining.is_set() and self._is_between_events():
                    return b""
            piece = reading.result()
            self._tail = (self._tail + piece)[-3:]
            return piece
        finally:
            if not reading.done():
                reading.cancel()
                await asyncio.wait({reading})

    def _is_between_events(self) -> bool:
        return not self._tail or self._tail.endswith(_BETWEEN_EVENTS)


def _check_status(answer: Answer) -> None:
    if answer.status == 404:
        raise SessionOver
    if answer.status == 405:
        raise MethodNotAllowed(headers=(("allow", "POST, OPTIONS"),))
    if answer.status in REFUSED:
        # Its challenge is for the gateway, never for the client
        raise BackendTokenRefused
    if answer.status != 200 or kind_of(Heard(answer)) != EVENT_STREAM:
        raise BackendNonsense(f"The service answered {answer.status}.", reason="mcp_status")
