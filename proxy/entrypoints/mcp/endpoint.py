"""The ASGI application of `/mcp`: Streamable HTTP, every revision at one address, and nothing remembered."""

import asyncio
from collections.abc import Collection

import structlog

from audit.ledger.recorder import Recorder
from proxy.catalogue.plans import MCP_PATH
from proxy.entrypoints.asgi_types import Receive, Scope, Send
from proxy.entrypoints.body import RequestBody
from proxy.entrypoints.client_watch import ClientWatch, ConnectionBroken
from proxy.entrypoints.cors import Cors, answer_options
from proxy.entrypoints.mcp.caller import Caller, Reply
from proxy.entrypoints.mcp.dispatch import dispatch
from proxy.entrypoints.mcp.errors import Refused, RpcError
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.messages import JsonObject, Message, RequestId, parse, request_id_of
from proxy.entrypoints.mcp.revisions import revision_of
from proxy.entrypoints.mcp.server_stream import open_stream
from proxy.entrypoints.mcp.session import Session, session_of
from proxy.entrypoints.mcp.sessions import end_session
from proxy.entrypoints.mcp.stream import EventStream
from proxy.entrypoints.received import received_from
from proxy.entrypoints.responder import Responder
from proxy.pipeline.call import ClientGone, Headers, RawHeaders, Received
from proxy.pipeline.record import Record
from proxy.pipeline.run import Gateway
from proxy.refusals import (
    AuditUnavailable,
    BadRequest,
    Crash,
    ForeignOrigin,
    MethodNotAllowed,
    NotAcceptable,
    NotRegistered,
    Refusal,
    TooLarge,
    UnsupportedMediaType,
)
from proxy.upstream.mcp.outgoing import SESSION_HEADER

MESSAGE_MAX_BYTES = 1_048_576
log = structlog.get_logger(__name__)
# What a request asks for that carries no message
_WITHOUT_MESSAGE = {"DELETE": ("session/end", end_session), "GET": ("session/listen", open_stream)}
_ACCEPTED = frozenset({b"application/json", b"application/*", b"*/*"})


class McpEntrypoint:
    """Answers at every path of an MCP server. `origins` are those whose pages may call."""

    def __init__(self, *, gateway: Gateway, recorder: Recorder, cors: Cors, origins: Collection[str]) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._cors = cors
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = RequestBody(
            receive,
            length=_length(scope["headers"]),
            awaited=self._gateway.awaited,
            address=scope["state"]["address"],
        )
        received = received_from(scope, body)
        if received.method == "OPTIONS":
            responder = Responder(send, request_id=received.request_id)
            await answer_options(self._cors, self._gateway.identifier, received, responder)
            return
        watch = ClientWatch(receive, send, body)
        responder = Responder(watch.send, request_id=received.request_id, shared=self._cors.headers(received.headers))
        try:
            await self._exchange(received, responder)
        except ClientGone:
            await responder.broken_off()
        except asyncio.CancelledError:
            if not watch.gone:
                raise
            if watch.stalled:
                raise ConnectionBroken("client_stalled") from None
        finally:
            watch.stop()

    async def _exchange(self, received: Received, responder: Responder) -> None:
        record = Record(recorder=self._recorder, received=received, observation=self._gateway.observation)
        stream, content = EventStream(responder, received.headers), b""
        try:
            caller = await self._admit(received, record)
            content = await _whole(received)
            reply = await self._answer(caller, content, record, stream)
        except Refusal as refusal:
            await self._refuse(refusal, record, responder, request_id_of(content))
            return
        except ClientGone:
            raise
        except Exception:
            log.exception("message_crashed", request_id=received.request_id)
            await self._refuse(Crash(), record, responder, request_id_of(content))
            return
        await stream.end(reply)

    async def _answer(self, caller: Caller, content: bytes, record: Record, stream: EventStream) -> Reply:
        revision = None
        try:
            asked, answer = _WITHOUT_MESSAGE.get(caller.received.method, ("", dispatch))
            message = Message(asked, {}, None) if asked else parse(content)
            revision = revision_of(message, caller.received.headers)
            session = None if revision.is_modern else _session(caller)
            exchange = Exchange(caller, message, revision, record, stream, self._gateway, self._recorder, session)
            return await answer(exchange)
        except RpcError as error:
            headers = error.headers
            if not record.closed:
                headers = await self._gateway.limits.count_message(caller.principal, caller.received)
                await record.refused(BadRequest(reason=error.reason))
            is_handshake = revision is not None and not revision.is_modern
            return _error(error, request_id_of(content), is_handshake=is_handshake, headers=headers)

    async def _admit(self, received: Received, record: Record) -> Caller:
        """Everything that is checked before a byte of the body is read, so that nobody unknown can send much."""
        snapshot = self._gateway.watcher.snapshot
        self._check_origin(received.headers)
        server = snapshot.servers.get(received.path.decode("latin-1"))
        if server is None:
            # 404 is for callers who are identified
            await self._gateway.identifier.bearer(received, snapshot, snapshot.servers[MCP_PATH], ())
            raise NotRegistered
        record.audience = server.resource
        if received.method == "POST":
            _check_media_types(received.headers)
        elif not server.backend or not _is_of_a_session(received):
            raise MethodNotAllowed(headers=(("allow", "POST, OPTIONS"),))
        principal = await self._gateway.identifier.bearer(received, snapshot, server, server.scopes)
        record.identified(principal)
        if received.body.length is not None and received.body.length > MESSAGE_MAX_BYTES:
            raise TooLarge(MESSAGE_MAX_BYTES)
        return Caller(received=received, server=server, snapshot=snapshot, principal=principal)

    def _check_origin(self, headers: RawHeaders) -> None:
        # Against DNS rebinding: a browser that was led here says where from (streamable HTTP, security warning)
        host = next((value for name, value in headers if name == b"host"), b"")
        allowed = self._origins | {b"http://" + host, b"https://" + host}
        if any(name == b"origin" and value not in allowed for name, value in headers):
            raise ForeignOrigin

    async def _refuse(
        self, refusal: Refusal, record: Record, responder: Responder, request_id: RequestId | None
    ) -> None:  # fmt: skip
        try:
            await record.refused(refusal)
        except AuditUnavailable as unrecorded:
            refusal = unrecorded
        if responder.started:
            # Its status is gone: what is left is an error in the place of the result
            await EventStream(responder, ()).end(_error(Refused(refusal.detail), request_id))
        else:
            await responder.problem(refusal)


def _session(caller: Caller) -> Session | None:
    """The session that the client shows, at a server where there may be one.

    Raises:
        SessionOver: it is not the caller's, or over.
    """
    shown = _shown(caller.received.headers)
    return session_of(shown.decode("latin-1"), caller) if shown and caller.server.backend else None


def _shown(headers: RawHeaders) -> bytes:
    name = SESSION_HEADER.encode()
    return next((value for each, value in headers if each == name), b"")


def _is_of_a_session(received: Received) -> bool:
    return received.method == "DELETE" or (received.method == "GET" and bool(_shown(received.headers)))


def _error(
    error: RpcError, request_id: RequestId | None, *, is_handshake: bool = False, headers: Headers = ()
) -> Reply:  # fmt: skip
    code = (error.handshake_code if is_handshake else None) or error.code
    told: JsonObject = {"code": code, "message": error.message}
    told |= {} if error.data is None else {"data": error.data}
    named = {} if request_id is None else {"id": request_id}
    status = error.handshake_status if is_handshake else error.status
    return Reply({"jsonrpc": "2.0", **named, "error": told}, status=status, headers=headers)


async def _whole(received: Received) -> bytes:
    content = await received.body.open(limit=MESSAGE_MAX_BYTES, until=received.started + 30.0)
    if content is None or isinstance(content, bytes):
        return content or b""
    return b"".join([chunk async for chunk in content])


def _check_media_types(headers: RawHeaders) -> None:
    sent = next((value for name, value in headers if name == b"content-type"), b"")
    if sent.partition(b";")[0].strip().lower() != b"application/json":
        raise UnsupportedMediaType("Send the message as application/json.")
    accept = b",".join(value for name, value in headers if name == b"accept")
    kinds = {part.partition(b";")[0].strip().lower() for part in accept.split(b",")}
    if accept and not kinds & _ACCEPTED:
        raise NotAcceptable("Answers are application/json: accept it beside text/event-stream.")


def _length(headers: RawHeaders) -> int | None:
    return next((int(value) for name, value in headers if name == b"content-length"), None)
