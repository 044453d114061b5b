"""The ASGI application of `/mcp`: Streamable HTTP without sessions, every revision at one address."""

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass

import structlog

from audit.ledger.recorder import Recorder
from proxy.catalogue.plans import MCP_PATH, ServerPlan
from proxy.catalogue.snapshot import Snapshot
from proxy.entrypoints.asgi_types import Receive, Scope, Send
from proxy.entrypoints.body import RequestBody
from proxy.entrypoints.client_watch import ClientWatch
from proxy.entrypoints.cors import Cors
from proxy.entrypoints.mcp.arguments import BadArguments, check, to_http
from proxy.entrypoints.mcp.errors import InvalidParams, MethodNotFound, RpcError
from proxy.entrypoints.mcp.messages import JsonObject, Message, parse, request_id_of
from proxy.entrypoints.mcp.methods import NOTIFICATIONS, discover, initialize, list_tools
from proxy.entrypoints.mcp.results import challenged, failed, refused
from proxy.entrypoints.mcp.revisions import Revision, revision_of
from proxy.entrypoints.mcp.tool_call import call_tool
from proxy.entrypoints.responder import Responder
from proxy.pipeline.call import ClientGone, Headers, Principal, RawHeaders, Received
from proxy.pipeline.record import Record
from proxy.pipeline.run import Gateway
from proxy.refusals import (
    AuditUnavailable,
    BadRequest,
    Crash,
    ForeignOrigin,
    InsufficientScope,
    MethodNotAllowed,
    NotAcceptable,
    NotRegistered,
    Refusal,
    RevocationsUnknown,
    TooLarge,
    Unauthenticated,
    UnsupportedMediaType,
)

MESSAGE_MAX_BYTES = 1_048_576
log = structlog.get_logger(__name__)
_ACCEPTED = frozenset({b"application/json", b"application/*", b"*/*"})
# Refusals that a client answers by itself, so they keep their status; all others are for the model to read
_HTTP = (Unauthenticated, AuditUnavailable, RevocationsUnknown)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with what is known before its message is read."""

    received: Received
    server: ServerPlan
    snapshot: Snapshot
    principal: Principal


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out; no document, no body."""

    document: JsonObject | None
    status: int = 200
    headers: Headers = ()


class McpEntrypoint:
    """Answers at every path of an MCP server. `origins` are those whose pages may call."""

    def __init__(self, *, gateway: Gateway, recorder: Recorder, cors: Cors, origins: Collection[str]) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._cors = cors
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = RequestBody(receive, length=_length(scope["headers"]))
        received = _received(scope, body)
        if received.method == "OPTIONS":
            responder = Responder(send, request_id=received.request_id)
            await responder.whole(204, self._cors.preflight(received.headers))
            return
        responder = Responder(send, request_id=received.request_id, shared=self._cors.headers(received.headers))
        watch = ClientWatch(receive, body)
        try:
            await self._exchange(received, responder)
        except ClientGone:
            await responder.broken_off()
        except asyncio.CancelledError:
            if not watch.gone:
                raise
        finally:
            watch.stop()

    async def _exchange(self, received: Received, responder: Responder) -> None:
        record = Record(recorder=self._recorder, received=received, observation=self._gateway.observation)
        try:
            exchange = await self._admit(received, record)
            reply = await self._answer(exchange, await _whole(received), record)
        except Refusal as refusal:
            await self._refuse(refusal, record, responder)
            return
        except ClientGone:
            raise
        except Exception:
            log.exception("message_crashed", request_id=received.request_id)
            await self._refuse(Crash(), record, responder)
            return
        await _send(responder, reply)

    async def _answer(self, exchange: Exchange, content: bytes, record: Record) -> Reply:
        revision = None
        try:
            message = parse(content)
            revision = revision_of(message, exchange.received.headers)
            return await self._dispatch(exchange, message, revision, record)
        except RpcError as error:
            limits = await self._count(exchange)
            await record.refused(BadRequest(reason=error.reason))
            is_handshake = revision is not None and not revision.is_modern
            status = error.handshake_status if is_handshake else error.status
            return Reply(_error(error, request_id_of(content)), status=status, headers=limits)

    async def _admit(self, received: Received, record: Record) -> Exchange:
        """Everything that is checked before a byte of the body is read, so that nobody unknown can send much."""
        snapshot = self._gateway.watcher.snapshot
        self._check_origin(received.headers)
        server = snapshot.servers.get(received.path.decode("latin-1"))
        if server is None:
            # 404 is for callers who are identified
            await self._gateway.identifier.bearer(received, snapshot, snapshot.servers[MCP_PATH], ())
            raise NotRegistered
        record.audience = server.resource
        if received.method != "POST":
            raise MethodNotAllowed(headers=(("allow", "POST, OPTIONS"),))
        _check_media_types(received.headers)
        principal = await self._gateway.identifier.bearer(received, snapshot, server, server.scopes)
        record.identified(principal)
        if received.body.length is not None and received.body.length > MESSAGE_MAX_BYTES:
            raise TooLarge(MESSAGE_MAX_BYTES)
        return Exchange(received=received, server=server, snapshot=snapshot, principal=principal)

    def _check_origin(self, headers: RawHeaders) -> None:
        # Against DNS rebinding: a browser that was led here says where from (streamable HTTP, security warning)
        host = next((value for name, value in headers if name == b"host"), b"")
        allowed = self._origins | {b"http://" + host, b"https://" + host}
        if any(name == b"origin" and value not in allowed for name, value in headers):
            raise ForeignOrigin

    async def _dispatch(self, exchange: Exchange, message: Message, revision: Revision, record: Record) -> Reply:
        if message.request_id is None:
            # A notification, or an answer to what nobody asked: taken, and nothing follows
            record.asked = message.method if message.method in NOTIFICATIONS else ""
            limits = await self._count(exchange)
            await record.answered()
            return Reply(None, status=202, headers=limits)
        if message.method == "tools/call":
            headers, result = await self._call_tool(exchange, message, record)
            return Reply(_result(message, revision.complete(result)), headers=headers)
        result = _own(exchange, message, revision)
        record.asked = message.method
        limits = await self._count(exchange)
        await record.answered()
        return Reply(_result(message, result), headers=limits)

    async def _count(self, exchange: Exchange) -> Headers:
        # What goes through the six stages is counted there
        return await self._gateway.limits.count_message(exchange.principal, exchange.received)

    async def _call_tool(self, exchange: Exchange, message: Message, record: Record) -> tuple[Headers, JsonObject]:
        name, arguments = message.params.get("name"), message.params.get("arguments", {})
        plan = exchange.server.tools.get(name) if isinstance(name, str) else None
        if plan is None:
            raise InvalidParams("params.name must be a tool of this server; tools/list has their names.")
        if not isinstance(arguments, dict):
            raise InvalidParams("params.arguments must be an object.")
        try:
            check(plan.tool, arguments)
            call = to_http(plan, arguments)
        except BadArguments as fault:
            record.operation = plan.operation
            limits = await self._count(exchange)
            await record.refused(BadRequest(reason="tool_arguments"))
            return limits, failed(str(fault))
        # The call inside has a record of its own
        record.closed = True
        try:
            result, answer = await call_tool(
                self._gateway, self._recorder, outer=exchange.received, server=exchange.server, plan=plan, call=call
            )
        except InsufficientScope as refusal:
            if _reads_challenges_in_results(exchange.received.headers):
                return (), challenged(refusal)
            raise
        except _HTTP:
            raise
        except Refusal as refusal:
            return _limit_headers(refusal.headers), refused(refusal)
        return _limit_headers(answer.headers), result

    async def _refuse(self, refusal: Refusal, record: Record, responder: Responder) -> None:
        try:
            await record.refused(refusal)
        except AuditUnavailable as unrecorded:
            refusal = unrecorded
        await responder.problem(refusal)


def _own(exchange: Exchange, message: Message, revision: Revision) -> JsonObject:
    if revision.is_modern:
        if message.method == "server/discover":
            return discover(exchange.server, revision)
    elif message.method == "initialize":
        return initialize(exchange.server, message)
    elif message.method == "ping":
        return {}
    if message.method == "tools/list":
        return list_tools(exchange.server, message, revision, principal=exchange.principal, snapshot=exchange.snapshot)
    raise MethodNotFound(f"This server has no method {message.method[:100]!r}.")


def _result(message: Message, result: JsonObject) -> JsonObject:
    return {"jsonrpc": "2.0", "id": message.request_id, "result": result}


def _error(error: RpcError, request_id: str | int | None) -> JsonObject:
    told: JsonObject = {"code": error.code, "message": error.message}
    named = {} if request_id is None else {"id": request_id}
    return {"jsonrpc": "2.0", **named, "error": told | ({"data": error.data} if error.data else {})}


def _reads_challenges_in_results(headers: RawHeaders) -> bool:
    # ChatGPT asks for more permissions after a result that says so, all other clients after a 403
    return any(name == b"user-agent" and value.startswith(b"openai-mcp") for name, value in headers)


async def _send(responder: Responder, reply: Reply) -> None:
    content = b""
    if reply.document is not None:
        content = json.dumps(reply.document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    typed = (("content-type", "application/json"),) if content else ()
    framing = (("content-length", str(len(content))), ("cache-control", "no-store"), ("vary", "Origin"))
    await responder.whole(reply.status, (*typed, *framing, *reply.headers), content)


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


def _limit_headers(headers: Headers) -> Headers:
    return tuple((name, value) for name, value in headers if name in {"ratelimit", "ratelimit-policy", "retry-after"})


def _length(headers: RawHeaders) -> int | None:
    return next((int(value) for name, value in headers if name == b"content-length"), None)


def _received(scope: Scope, body: RequestBody) -> Received:
    state = scope["state"]
    return Received(
        method=scope["method"],
        path=scope["raw_path"],
        query=scope["query_string"],
        headers=tuple(scope["headers"]),
        body=body,
        request_id=state["request_id"],
        address=state["address"],
        started=asyncio.get_running_loop().time(),
    )
