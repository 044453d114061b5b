"""A request passed on to an MCP server behind this one: through the six stages, in that server's own revision."""

import asyncio
from dataclasses import replace
from typing import Any, Final

from proxy.catalogue.models import AuthMode
from proxy.catalogue.plans import BackendPlan, FeaturePlan, OperationPlan
from proxy.entrypoints.mcp.caller import Reply
from proxy.entrypoints.mcp.errors import Refused
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.inner_call import JsonBody, carry, kept_headers, limit_headers
from proxy.entrypoints.mcp.listening import Listening
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.results import words_of
from proxy.entrypoints.mcp.rounds import NextRound, Rounds, askable, resumed
from proxy.entrypoints.mcp.session import Pending, SessionOver
from proxy.entrypoints.mcp.upstream_call import UpstreamCall
from proxy.pipeline.call import Answer, Headers, Named, Received, Router
from proxy.refusals import (
    AuditUnavailable,
    InsufficientScope,
    NotRegistered,
    Refusal,
    RevocationsUnknown,
    Unauthenticated,
)
from proxy.upstream.mcp.outgoing import CAPABILITIES_KEY, MODERN, Outgoing, message

# What a request may hold beside the name of what it asks for; all else is between the client and this server
_PASSED: Final = ("arguments", "argument", "context", "level", "inputResponses", "requestState")
_OURS: Final = "io.modelcontextprotocol/"
# Refusals that a client answers by itself, so they keep their status
FOR_CLIENTS: Final = (Unauthenticated, AuditUnavailable, RevocationsUnknown, SessionOver)


async def relay(
    exchange: Exchange, feature: FeaturePlan, named: JsonObject, *, headers: Headers = ()
) -> tuple[JsonObject, Answer]:
    """The result of a request for `feature`, which `named` names as its server does, and the head of the answer.

    `headers` go beside those of the message, in the newest revision.

    Raises:
        Refusal: a stage says no, or the server does not answer as it should.
        RpcError: the server answers with an error.
    """
    backend = backend_of(exchange, feature.backend)
    if (pending := resumed(exchange, backend)) is not None:
        return await _next_round(exchange, backend, feature.operation, pending)
    params = {name: exchange.message.params[name] for name in _PASSED if name in exchange.message.params}
    return await ask(exchange, backend, feature.operation, params | named, headers=headers)


async def reply_of(exchange: Exchange, feature: FeaturePlan, named: JsonObject) -> Reply:
    """The reply to a request for `feature` whose result cannot say that something went wrong.

    Raises:
        Refused: in the place of most refusals; those that a client answers by itself stay.
        RpcError: the server answers with an error.
    """
    try:
        result, answer = await relay(exchange, feature, named)
    except (InsufficientScope, *FOR_CLIENTS):
        raise
    except Refusal as refusal:
        raise Refused(words_of(refusal), headers=limit_headers(refusal.headers)) from None
    return exchange.result(result, headers=limit_headers(answer.headers))


async def ask(
    exchange: Exchange,
    backend: BackendPlan,
    operation: OperationPlan,
    params: JsonObject,
    *,
    upstream: UpstreamCall | None = None,
    headers: Headers = (),
) -> tuple[JsonObject, Answer]:
    """The result of a request to `backend` with the method of the message, and the head of the answer.

    Raises:
        Refusal, RpcError: as `relay`.
    """
    upstream = upstream or _call_of(exchange, backend)
    # Beside a session the ids are the client's own, so that it can cancel by them; else no two may be the same
    own_id = exchange.message.request_id
    request_id = own_id if exchange.session and own_id is not None else exchange.caller.received.request_id
    outgoing = message(
        exchange.message.method,
        params | _meta(exchange, upstream.version),
        version=upstream.version,
        request_id=request_id,
        session_id=upstream.session_id,
        capabilities=_capabilities(exchange),
    )
    if upstream.version == MODERN:
        outgoing = replace(outgoing, headers=(*outgoing.headers, *headers))
    rounds = Rounds(exchange, upstream, backend=backend.name, call_id=request_id)
    listening = Listening(exchange, upstream, request_id=request_id, backend=backend, rounds=rounds)
    given_up = None
    try:
        received = carrying_message(exchange, backend, operation, outgoing, upstream.route)
        return await carry(exchange, received, listening.read)
    except asyncio.CancelledError:
        given_up = request_id
        raise
    finally:
        upstream.leave(cancelled=given_up)


async def _next_round(
    exchange: Exchange, backend: BackendPlan, operation: OperationPlan, pending: Pending
) -> tuple[JsonObject, Answer]:
    """The same for a call that waits for an answer of the client, which the message brings."""
    following = NextRound(exchange, pending, backend=backend.name)
    listening = Listening(
        exchange, following.upstream, request_id=pending.call_id, backend=backend, rounds=following.rounds
    )
    received = carrying_message(exchange, backend, operation, following.outgoing, following.route)
    return await carry(exchange, received, listening.read)


def _call_of(exchange: Exchange, backend: BackendPlan) -> UpstreamCall:
    """The talk that a call of `backend` is, in the client's session where it has one.

    Raises:
        NotRegistered: nobody knows yet how the backend is spoken to.
    """
    session, key = exchange.session, exchange.caller.received.request_id
    if backend.mcp is None:
        raise NotRegistered(reason="mcp_not_discovered")
    if session is not None:
        return UpstreamCall(version=session.version, session_id=session.upstream_id, key=key)
    version = backend.mcp.protocol_version
    asked = askable(exchange) if version != MODERN else {}
    return UpstreamCall(version=version, needs_handshake=version != MODERN, key=key, capabilities=asked)


def backend_of(exchange: Exchange, name: str) -> BackendPlan:
    """The backend of a feature.

    Raises:
        NotRegistered: it is gone.
    """
    backend = exchange.caller.snapshot.backends.get(name)
    if backend is None:
        raise NotRegistered(reason="no_backend")
    return backend


def carrying_message(
    exchange: Exchange, backend: BackendPlan, operation: OperationPlan, outgoing: Outgoing, router: Router
) -> Received:
    """The request that posts `outgoing`, as the stages take it; `router` sends it."""
    outer = exchange.caller.received
    # A repetition has another id, so its key would never fit the kept answer
    kept = tuple((name, value) for name, value in kept_headers(outer) if name != b"idempotency-key")
    own = tuple((name.encode(), value.encode()) for name, value in outgoing.headers if name != "content-length")
    return Received(
        method="POST",
        path=outer.path,
        query=b"",
        headers=(*kept, *own),
        body=JsonBody(outgoing.body),
        request_id=outer.request_id,
        address=outer.address,
        started=outer.started,
        named=Named(operation, exchange.server, backend=backend.name, router=router),
    )


def protocol_operation(exchange: Exchange, backend: BackendPlan, method: str) -> OperationPlan:
    """What belongs to the protocol and to no feature, such as a session: for whoever may call the server."""
    return OperationPlan(
        operation_id=method,
        template=exchange.server.path,
        auth_mode=AuthMode.OAUTH,
        scopes=(),
        scope_set=frozenset(),
        max_request_bytes=backend.max_request_bytes,
    )


def _meta(exchange: Exchange, version: str) -> JsonObject:
    given = exchange.message.meta
    if version != MODERN:
        # There a handshake says it
        given = {name: value for name, value in given.items() if not name.startswith(_OURS)}
    return {"_meta": given} if given else {}


def _capabilities(exchange: Exchange) -> dict[str, Any]:
    """What the client says it can be asked; one with a handshake cannot be asked in the way of the newest revision."""
    found = exchange.message.meta.get(CAPABILITIES_KEY)
    return found if exchange.revision.is_modern and isinstance(found, dict) else {}
