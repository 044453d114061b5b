"""Sessions at a server behind this one that keeps them, for clients with a handshake: begun, used and ended here.

Nothing of them is remembered here but that they were ended: the client keeps what `initialize` gave it, and any worker
can read that.
"""

from dataclasses import replace
from typing import Final

from proxy.catalogue.plans import BackendPlan
from proxy.entrypoints.mcp.caller import Reply
from proxy.entrypoints.mcp.discovery import announced, initialized
from proxy.entrypoints.mcp.errors import RpcError
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.inner_call import JsonBody, carry
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.relay import ask, backend_of, carrying_message, protocol_operation
from proxy.entrypoints.mcp.session import Question, Session, SessionOver, question_of, seal
from proxy.entrypoints.mcp.upstream_call import UpstreamCall, session_id_in, spoken_version
from proxy.pipeline.call import Answer
from proxy.pipeline.record import Record
from proxy.refusals import BackendNonsense, MethodNotAllowed
from proxy.upstream.mcp.outgoing import CLIENT_INFO, HANDSHAKE, MODERN, SESSION_HEADER, Outgoing, end_of_session, posted

# What a server may ask a client for (2025-11-25, lifecycle)
_ASKABLE: Final = ("elicitation", "sampling", "roots")
# Those that clients of some revision send; the ledger knows no other by name
NOTIFICATIONS: Final = frozenset({
    "notifications/initialized", "notifications/cancelled", "notifications/progress",
    "notifications/roots/list_changed",
})  # fmt: skip
_TAKEN: Final = frozenset({200, 202, 204})


async def initialize(exchange: Exchange) -> Reply:
    """`initialize` (before 2026-07-28): agree on a revision, and begin a session if the server behind has them.

    Raises:
        InvalidParams: it names no revision.
        Refusal, RpcError: that server does not take it.
    """
    result, name = initialized(exchange), exchange.server.backend
    backend = backend_of(exchange, name) if name else None
    if backend is None or backend.mcp is None:
        return await exchange.answered(result)
    version = backend.mcp.protocol_version
    try:
        session = await _begun(exchange, backend, version=HANDSHAKE[0] if version == MODERN else version)
    except (RpcError, BackendNonsense):
        if version != MODERN:
            raise
        # It speaks the newest revision alone, and so in each call
        return exchange.result(result)
    if not session.upstream_id:
        return exchange.result(result)
    named = (SESSION_HEADER, seal(session, exchange.caller))
    return exchange.result(initialized(exchange, session=session), headers=(named,))


async def take(exchange: Exchange) -> Reply:
    """A notification, or an answer: passed on where it belongs to a session, else taken, and nothing follows.

    Raises:
        SessionOver: it answers what somebody else was asked.
        Refusal: the server behind this one does not take it.
    """
    message, session = exchange.message, exchange.session
    asked = message.response.get("id") if message.response is not None else None
    if message.response is not None and isinstance(asked, str) and exchange.server.backend:
        question = question_of(asked, exchange.caller)
        return await _pass(exchange, message.response | {"id": question.request_id}, question)
    if session is not None and message.method in NOTIFICATIONS:
        params = {"params": message.params} if message.params else {}
        return await _pass(exchange, {"jsonrpc": "2.0", "method": message.method, **params}, session)
    exchange.record.asked = message.method if message.method in NOTIFICATIONS else ""
    limits = await exchange.counted()
    await exchange.record.answered()
    return Reply(None, status=202, headers=limits)


async def set_level(exchange: Exchange) -> Reply:
    """`logging/setLevel` (before 2026-07-28), in a session."""
    backend = backend_of(exchange, exchange.server.backend)
    params = {"level": exchange.message.params.get("level")}
    result, _answer = await ask(exchange, backend, protocol_operation(exchange, backend, "logging/setLevel"), params)
    return exchange.result(result)


async def end_session(exchange: Exchange) -> Reply:
    """DELETE: the session ends at the server behind this one, and here what this one answers by itself.

    Raises:
        SessionOver: that server does not know it any more.
        MethodNotAllowed: no session is named, or that server lets none be ended.
    """
    if exchange.session is None:
        raise MethodNotAllowed(headers=(("allow", "POST, OPTIONS"),))
    session, ended = exchange.session, exchange.gateway.ended_sessions
    headers = end_of_session(session.upstream_id, version=session.version)
    try:
        await _post(exchange, Outgoing(headers, b""), session, method="DELETE")
    except SessionOver:
        await ended.end(session.digest, until=session.until)
        raise
    await ended.end(session.digest, until=session.until)
    return Reply(None)


async def _begun(exchange: Exchange, backend: BackendPlan, *, version: str) -> Session:
    asked = exchange.message.params.get("capabilities")
    asked = asked if isinstance(asked, dict) else {}
    declared = {name: asked[name] for name in _ASKABLE if isinstance(asked.get(name), dict)}
    params = {"protocolVersion": version, "capabilities": declared, "clientInfo": CLIENT_INFO}
    operation = protocol_operation(exchange, backend, "initialize")
    result, answer = await ask(exchange, backend, operation, params, upstream=UpstreamCall(version=version))
    return Session(session_id_in(answer.headers), spoken_version(result), sorted(declared), _announced(result))


def _announced(result: JsonObject) -> list[str]:
    capabilities = result.get("capabilities")
    return announced(capabilities) if isinstance(capabilities, dict) else []


async def _pass(exchange: Exchange, document: JsonObject, session: Session | Question) -> Reply:
    outgoing = posted(document, version=session.version, session_id=session.upstream_id)
    await _post(exchange, outgoing, session)
    return Reply(None, status=202)


async def _post(
    exchange: Exchange, outgoing: Outgoing, session: Session | Question, *, method: str = "POST"
) -> None:  # fmt: skip
    backend = backend_of(exchange, exchange.server.backend)
    operation = protocol_operation(exchange, backend, exchange.message.method or "response")
    upstream = UpstreamCall(version=session.version, session_id=session.upstream_id)
    received = carrying_message(exchange, backend, operation, outgoing, upstream.route)
    body = JsonBody(outgoing.body or None)
    await carry(exchange, replace(received, method=method, body=body), _taken)


async def _taken(answer: Answer, record: Record) -> None:
    del record
    if answer.status == 404:
        raise SessionOver
    if answer.status == 405:
        raise MethodNotAllowed(headers=(("allow", "POST, OPTIONS"),))
    if answer.status not in _TAKEN:
        raise BackendNonsense(f"The service answered {answer.status}.", reason="mcp_status")
