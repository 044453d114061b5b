"""Once: calls with the same Idempotency-Key reach the backend once, and all of them get its answer.

Between Constrain and Route, for operations that staff marked idempotent; see docs/adr for what is kept and why there.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import structlog

from oauth_provider.keys.encryption import Undecipherable
from proxy.database_threads import DatabaseThreads
from proxy.idempotency.answers import ANSWER_MAX, KeptAnswer, seal, unseal
from proxy.idempotency.keep import claim, give_back, look, settle
from proxy.idempotency.models import KeptCall, State
from proxy.pipeline.call import SAFE_METHODS, Answer, Constrained
from proxy.pipeline.whole import Prefixed, WholeAnswer, WholeBody, carrying
from proxy.refusals import (
    AnswerNotKept,
    BackendNonsense,
    BackendRefusedByGuard,
    BackendUnreachable,
    BadRequest,
    ConnectTimeout,
    IdempotencyKeyReused,
    OutcomeUnknown,
    Refusal,
    StillUnderWay,
    TooLarge,
    TooManyCalls,
    Unavailable,
)

KEY_MAX = 255
# Of a request that must be compared with the ones after it
BODY_MAX = 1_048_576
# A holder that has not settled so long after its deadline has died
GRACE_S = 30.0
POLL_MIN_S, POLL_MAX_S = 0.05, 0.5
CLOSE_WITHIN_S = 1.0
# The backend did not do it, and says when to come back
_NOT_DONE = frozenset({429, 503})
# Nothing was sent; after a second try, the first one may have been
_NOT_SENT = (Unavailable, TooManyCalls, BackendUnreachable, ConnectTimeout, BackendRefusedByGuard)
Carry = Callable[[Constrained], AbstractAsyncContextManager[Answer]]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call with a key. `key` and `request` are SHA-256; `until` is a time of the event loop."""

    key: str
    request: str
    holder: str
    constrained: Constrained
    until: float
    timeout_s: float


class Once:
    """The calls with keys of one process; the database speaks for all of them."""

    def __init__(self) -> None:
        self._threads = DatabaseThreads(4, name="idempotency", reason="idempotency_store_down")
        # Of each key one call of this process claims it or waits for its holder; the others wait for that one
        self._leading: dict[str, asyncio.Future[None]] = {}
        self._running: set[asyncio.Task[Any]] = set()

    async def aclose(self) -> None:
        """Give what is under way a moment to end, then end it: its outcome counts as unknown."""
        if self._running:
            _done, late = await asyncio.wait(self._running, timeout=CLOSE_WITHIN_S)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=CLOSE_WITHIN_S)
        await self._threads.aclose()

    async def answer(self, constrained: Constrained, key: str, carry: Carry, stack: AsyncExitStack) -> Answer:
        """The answer to the first call with `key`: of `carry` when this is the first, else the one that was kept.

        `stack` must stay open until the answer is read.

        Raises:
            Refusal: whatever `carry` raises; and of our own:
            IdempotencyKeyReused, StillUnderWay, OutcomeUnknown, AnswerNotKept.
        """
        call = await _prepare(constrained, key)
        while True:
            if (leading := self._leading.get(call.key)) is not None:
                await _wait(leading, call)
                row = await self._threads.run(look, key=call.key)
                if row is not None and row.state != State.HELD:
                    return _repeated(row, call)
                continue
            future = self._leading[call.key] = asyncio.get_running_loop().create_future()
            try:
                answer = await self._lead(call, carry, stack)
            finally:
                del self._leading[call.key]
                future.set_result(None)
            if answer is not None:
                return answer

    async def _lead(self, call: _Call, carry: Carry, stack: AsyncExitStack) -> Answer | None:
        """Claim the key and make the call, or wait for who did; None when they gave it back."""
        hold_s = call.timeout_s + GRACE_S
        row = await self._threads.run(claim, key=call.key, request=call.request, holder=call.holder, hold_s=hold_s)
        if row.holder != call.holder:
            return await self._follow(row, call)
        held = AsyncExitStack()
        task = asyncio.create_task(self._carry(call, carry, held))
        self._keep(task)
        try:
            answer = await asyncio.shield(task)
        except asyncio.CancelledError:
            # Whoever asked has left, and may ask again with the same key: the call goes on for its answer
            self._keep(asyncio.create_task(_end(task, held)))
            raise
        stack.push_async_callback(held.aclose)
        return answer

    async def keep(self, key: str, answer: KeptAnswer) -> None:
        """Keep what somebody will ask for under `key`, a SHA-256, for a day; what is there already stays.

        Raises:
            Unavailable: the database does not answer.
        """
        sealed = await asyncio.to_thread(seal, answer)
        await self._threads.run(claim, key=key, request="", holder=key, hold_s=GRACE_S)
        await self._threads.run(settle, key=key, holder=key, state=State.DONE, answer=sealed)

    async def kept(self, key: str) -> KeptAnswer | None:
        """What was kept under `key`; None as long as there is nothing.

        Raises:
            Unavailable: the database does not answer.
        """
        row = await self._threads.run(look, key=key)
        return unseal(row.answer) if row is not None and row.state == State.DONE else None

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _follow(self, row: KeptCall | None, call: _Call) -> Answer | None:
        """Wait for a holder elsewhere; None when it gave the key back."""
        pause_s = POLL_MIN_S
        loop = asyncio.get_running_loop()
        while row is not None and row.state == State.HELD and row.request == call.request:
            if row.held_until.timestamp() < time.time():
                raise OutcomeUnknown
            if loop.time() + pause_s >= call.until:
                raise StillUnderWay
            await asyncio.sleep(pause_s)
            pause_s = min(1.5 * pause_s, POLL_MAX_S)
            row = await self._threads.run(look, key=call.key)
        return None if row is None else _repeated(row, call)

    async def _carry(self, call: _Call, carry: Carry, held: AsyncExitStack) -> Answer:
        try:
            answer = await held.enter_async_context(carry(call.constrained))
            answer, kept = await _whole(answer)
        except BaseException as fault:
            sent = not isinstance(fault, _NOT_SENT) or fault.retries > 0
            await self._close(call, State.UNKNOWN if sent else None)
            await held.aclose()
            raise
        if kept is not None:
            # It is all here: the place at the backend is free for others
            await held.aclose()
        if answer.status in _NOT_DONE:
            await self._close(call, None)
        elif kept is None:
            await self._close(call, State.UNKEPT)
        else:
            await self._close(call, State.DONE, await asyncio.to_thread(seal, kept))
        return answer

    async def _close(self, call: _Call, state: State | None, answer: str = "") -> None:
        try:
            if state is None:
                await self._threads.run(give_back, key=call.key, holder=call.holder)
            else:
                await self._threads.run(settle, key=call.key, holder=call.holder, state=state, answer=answer)
        except Unavailable:
            # It stays held, and after a while nobody knows its outcome: never a second effect
            log.exception("idempotent_answer_not_kept", request_id=call.holder)


def key_of(constrained: Constrained) -> str | None:
    """The Idempotency-Key of a call whose operation heeds it; None for every other call.

    Raises:
        BadRequest: there are two, or it is empty or too long.
    """
    validated = constrained.validated
    received = validated.received
    # Without somebody whose it is, one caller's key would open another's answer
    if received.method in SAFE_METHODS or not validated.operation.idempotent:
        return None
    values = [value for name, value in received.headers if name == b"idempotency-key"]
    if not values or not validated.identified.principal.client_id:
        return None
    key = values[0].decode("latin-1").strip()
    if len(values) > 1 or not 1 <= len(key) <= KEY_MAX:
        raise BadRequest(f"Send one Idempotency-Key of 1 to {KEY_MAX} characters.", reason="idempotency_key")
    return key


async def _prepare(constrained: Constrained, key: str) -> _Call:
    validated = constrained.validated
    identified, received = validated.identified, validated.received
    principal, backend = identified.principal, identified.backend
    until = received.started + backend.timeout_s
    limit = min(validated.operation.max_request_bytes, BODY_MAX)
    if received.body.length is not None and received.body.length > limit:
        raise TooLarge(limit)
    body = await received.body.open(limit=limit, until=until)
    content = body if body is None or isinstance(body, bytes) else b"".join([piece async for piece in body])
    whose = [
        principal.user.user_id if principal.user else None,
        principal.client_id,
        backend.name,
        validated.operation.operation_id,
        key,
    ]
    what = [received.method, received.path.decode("latin-1"), received.query.decode("latin-1")]
    return _Call(
        key=hashlib.sha256(json.dumps(whose).encode()).hexdigest(),
        request=hashlib.sha256(json.dumps(what).encode() + b"\n" + (content or b"")).hexdigest(),
        holder=received.request_id,
        constrained=carrying(constrained, replace(received, body=WholeBody(content))),
        until=until,
        timeout_s=backend.timeout_s,
    )


async def _whole(answer: Answer) -> tuple[Answer, KeptAnswer | None]:
    """The answer with its body in memory, and what to keep; a stream, or too large a one, as it is, and None."""
    if answer.is_stream:
        return answer, None
    content = b""
    if answer.length != 0:
        while piece := await answer.stream.read():
            content += piece
            if len(content) > ANSWER_MAX:
                return replace(answer, stream=Prefixed(content, answer)), None
        if answer.length not in {None, len(content)}:
            raise BackendNonsense(reason="backend_wrong_length")
    headers = tuple((name, value) for name, value in answer.headers if not name.startswith("ratelimit"))
    return replace(answer, stream=WholeAnswer(content)), KeptAnswer(answer.status, headers, content)


def _repeated(row: KeptCall, call: _Call) -> Answer:
    if row.request != call.request:
        raise IdempotencyKeyReused
    if row.state == State.UNKNOWN:
        raise OutcomeUnknown
    if row.state == State.UNKEPT:
        raise AnswerNotKept
    try:
        kept = unseal(row.answer)
    except Undecipherable:
        raise AnswerNotKept from None
    return Answer(
        status=kept.status,
        headers=(*kept.headers, *call.constrained.limit_headers),
        length=len(kept.body),
        stream=WholeAnswer(kept.body),
        upstream_s=0.0,
        is_repeat=True,
    )


async def _wait(leading: asyncio.Future[None], call: _Call) -> None:
    try:
        async with asyncio.timeout_at(call.until):
            await asyncio.shield(leading)
    except TimeoutError:
        raise StillUnderWay from None


async def _end(task: "asyncio.Task[Answer]", held: AsyncExitStack) -> None:
    try:
        await asyncio.wait({task})
        if not task.cancelled() and (fault := task.exception()) is not None and not isinstance(fault, Refusal):
            log.error("idempotent_call_crashed", fault=type(fault).__name__)
    finally:
        await held.aclose()
