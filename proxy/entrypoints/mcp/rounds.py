"""A server of an earlier revision asks in the middle of a call, and its client speaks 2026-07-28, which has rounds.

The question is the result of the client's request (2026-07-28, multi round-trip requests). The call goes on behind it:
this process listens on, and what the server says next is kept in the database, sealed, where the worker that gets the
client's answer finds it. What the client holds between the rounds is sealed as sessions are.
"""

import asyncio
import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import structlog

from proxy.catalogue.plans import BackendPlan
from proxy.entrypoints.mcp.errors import InvalidParams
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.messages import JsonObject, RequestId
from proxy.entrypoints.mcp.questions import ASKED, is_put
from proxy.entrypoints.mcp.session import Pending, SessionOver, pending_of, seal
from proxy.entrypoints.mcp.upstream_answers import INPUT_REQUIRED
from proxy.entrypoints.mcp.upstream_call import Heard, UpstreamCall
from proxy.idempotency.answers import ANSWER_MAX, KeptAnswer
from proxy.pipeline.call import Answer, Constrained
from proxy.pipeline.whole import WholeAnswer
from proxy.refusals import BackendNonsense, DeadlinePassed, Refusal
from proxy.upstream.mcp.answers import JSON
from proxy.upstream.mcp.faults import McpFault
from proxy.upstream.mcp.outgoing import CAPABILITIES_KEY, MODERN, posted
from proxy.upstream.transport import Transport

# Methods whose result may be a question (2026-07-28, multi round-trip requests)
METHODS: Final = frozenset({"tools/call", "prompts/get", "resources/read"})
INPUT: Final = "input"
# Of one process at the same time, and of one user of it
WAITING_MAX: Final = 100
WAITING_OF_ONE_MAX: Final = 10
# Of one call after the first, and each in characters
TURNS_MAX: Final = 50
QUESTION_MAX: Final = 65_536
# A person may think for so long
PATIENCE_S: Final = 600.0
LOOK_EVERY_S: Final = (0.02, 0.5)
_TAKEN: Final = frozenset({200, 202, 204})
log = structlog.get_logger(__name__)


class Rounds:
    """Of one call, `call_id` at `backend`: what that asks goes to the client as a result, and the call waits here.

    What the server says is the next turn of `talk`; "" for a call that has asked nothing yet.
    """

    def __init__(
        self,
        exchange: Exchange,
        upstream: UpstreamCall,
        *,
        backend: str,
        call_id: RequestId,
        talk: str = "",
        turn: int = 0,
    ) -> None:
        self._exchange = exchange
        self._upstream = upstream
        self._backend = backend
        self._call_id = call_id
        self._talk = talk
        self._turn = turn

    def takes(self, document: JsonObject) -> bool:
        """Whether the server's request `document` is one that the client takes in this way."""
        asked, request_id = ASKED.get(str(document.get("method")), ""), document.get("id")
        return (
            asked in askable(self._exchange)
            and bool(self._upstream.session_id)
            and isinstance(request_id, str | int)
            and not isinstance(request_id, bool)
            and isinstance(document.get("params", {}), dict)
            and len(json.dumps(document)) <= QUESTION_MAX
            and (bool(self._talk) or self._has_room())
        )

    def result(self, document: JsonObject) -> JsonObject:
        """The result that asks what `document` asks."""
        self._talk = self._talk or uuid.uuid4().hex
        pending = Pending(
            upstream_id=self._upstream.session_id,
            version=self._upstream.version,
            request_id=document["id"],
            call_id=self._call_id,
            call=_digest(self._exchange, self._backend),
            talk=self._talk,
            turn=self._turn,
        )
        return {
            "resultType": INPUT_REQUIRED,
            "inputRequests": {INPUT: {"method": document["method"], "params": document.get("params", {})}},
            "requestState": seal(pending, self._exchange.caller),
        }

    def listen_on(self, said: AsyncIterator[JsonObject], heard: Heard) -> None:
        """Go on hearing what the server says, for the rounds that follow."""
        waiting, self._upstream.is_waiting = self._exchange.gateway.waiting, True
        task = asyncio.create_task(self._listen_on(said, heard), name=self._whose())
        waiting.add(task)
        task.add_done_callback(waiting.discard)

    async def _listen_on(self, said: AsyncIterator[JsonObject], heard: Heard) -> None:
        heard.patient_until = asyncio.get_running_loop().time() + PATIENCE_S
        last: JsonObject | None = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                last = await self._last(said)
        except (TimeoutError, Refusal, McpFault) as fault:
            request_id = self._exchange.caller.received.request_id
            log.info("mcp_call_broke_off", request_id=request_id, fault=type(fault).__name__)
        finally:
            with suppress(Refusal):
                await self._keep(last or self._error("The service broke off while it waited for an answer."))
            await heard.close()
            self._upstream.is_waiting = False
            self._upstream.leave(cancelled=None if last else self._call_id)

    async def _last(self, said: AsyncIterator[JsonObject]) -> JsonObject | None:
        """The server's response to the call; what it asks before is kept."""
        async for document in said:
            if "method" not in document and document.get("id") == self._call_id:
                return document
            if "id" in document and self._turn < TURNS_MAX and self.takes(document):
                await self._keep(document)
            elif "id" in document:
                await is_put(document, self._exchange, self._upstream)
        return None

    async def _keep(self, document: JsonObject) -> None:
        content = json.dumps(document).encode()
        if len(content) > ANSWER_MAX:
            content = json.dumps(self._error("The service answered with more than can be kept: ask for less.")).encode()
        self._turn += 1
        kept = KeptAnswer(200, (("content-type", JSON),), content)
        await self._exchange.gateway.once.keep(_place(self._talk, self._turn), kept)

    def _error(self, words: str) -> JsonObject:
        return {"jsonrpc": "2.0", "id": self._call_id, "error": {"code": -32603, "message": words}}

    def _has_room(self) -> bool:
        waiting, whose = self._exchange.gateway.waiting, self._whose()
        own = sum(task.get_name() == whose for task in waiting)
        return len(waiting) < WAITING_MAX and own < WAITING_OF_ONE_MAX

    def _whose(self) -> str:
        principal = self._exchange.caller.principal
        return f"rounds {principal.user.user_id if principal.user else principal.client_id}"


def askable(exchange: Exchange) -> JsonObject:
    """What a client of 2026-07-28 says it can be asked, as a server with a handshake is told."""
    found = exchange.message.meta.get(CAPABILITIES_KEY)
    if not exchange.revision.is_modern or exchange.message.method not in METHODS or not isinstance(found, dict):
        return {}
    return {name: found[name] for name in ASKED.values() if isinstance(found.get(name), dict)}


def resumed(exchange: Exchange, backend: BackendPlan) -> Pending | None:
    """The call that the message goes on with; None for one that begins.

    Raises:
        InvalidParams: params.requestState is of no such call of this client, or the answer is missing.
    """
    state, answers = exchange.message.params.get("requestState"), exchange.message.params.get("inputResponses")
    if state is None or backend.mcp is None or backend.mcp.protocol_version == MODERN:
        return None
    try:
        pending = pending_of(str(state), exchange.caller)
    except SessionOver:
        pending = None
    if pending is None or pending.call != _digest(exchange, backend.name):
        raise InvalidParams("params.requestState is not of this call, or it is over: make the call again.")
    if not isinstance(answers, dict) or not isinstance(answers.get(INPUT), dict):
        raise InvalidParams(f"params.inputResponses.{INPUT} must be the answer.")
    return pending


class NextRound:
    """Gives the client's answer to the server, and waits for what it says to it."""

    def __init__(self, exchange: Exchange, pending: Pending, *, backend: str) -> None:
        self.upstream = UpstreamCall(version=pending.version, session_id=pending.upstream_id)
        turn = pending.turn + 1
        self.rounds = Rounds(
            exchange, self.upstream, backend=backend, call_id=pending.call_id, talk=pending.talk, turn=turn
        )
        self._once = exchange.gateway.once
        self._place = _place(pending.talk, turn)
        answer: Any = exchange.message.params["inputResponses"][INPUT]
        self.outgoing = posted(
            {"id": pending.request_id, "result": answer}, version=pending.version, session_id=pending.upstream_id
        )

    async def route(self, constrained: Constrained, transport: Transport) -> Answer:
        """Route's place in the six stages.

        Raises:
            BackendNonsense: the server does not take the answer.
            DeadlinePassed: it says nothing to it in the time of a call.
            Refusal: as Route.
        """
        answer = await self.upstream.route(constrained, transport)
        await answer.stream.aclose()
        if answer.status not in _TAKEN:
            raise BackendNonsense(f"The service answered {answer.status}.", reason="mcp_status")
        received, backend = constrained.validated.received, constrained.validated.identified.backend
        try:
            async with asyncio.timeout_at(received.started + backend.timeout_s):
                kept = await self._next()
        except TimeoutError:
            raise DeadlinePassed(reason="backend_timeout") from None
        return replace(
            answer,
            status=200,
            headers=(*kept.headers, *constrained.limit_headers),
            length=len(kept.body),
            stream=WholeAnswer(kept.body),
        )

    async def _next(self) -> KeptAnswer:
        pause_s, longest_s = LOOK_EVERY_S
        while (kept := await self._once.kept(self._place)) is None:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)
        return kept


def _digest(exchange: Exchange, backend: str) -> str:
    params = exchange.message.params
    what = [backend, exchange.message.method, params.get("name"), params.get("uri"), params.get("arguments")]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def _place(talk: str, turn: int) -> str:
    return hashlib.sha256(f"rounds/{talk}/{turn}".encode()).hexdigest()
