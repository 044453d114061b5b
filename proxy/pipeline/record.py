"""Record: opens first, closes last. Every outcome becomes a durable event before the answer ends."""

import asyncio
from dataclasses import dataclass, field, replace
from time import monotonic

from audit.ledger.closing import STREAMING
from audit.ledger.events import Draft, new_event_id
from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.origin import truncated_address
from audit.ledger.recorder import AuditUnavailable as NotRecorded
from audit.ledger.recorder import Recorder
from proxy.catalogue.matching import Found
from proxy.catalogue.plans import BackendPlan, OperationPlan
from proxy.limits.addresses import address_network
from proxy.observation.call import ANSWER, IDENTIFY, LOCATE, RECORD, ROUTE, Ended, Observation
from proxy.observation.trace import Trace, trace_of
from proxy.pipeline.call import SAFE_METHODS, Answer, Identified, Located, Principal, Received, in_words
from proxy.refusals import AuditUnavailable, Overloaded, RateLimited, Refusal, TooManyCalls, TooManyStreams

SERVER_ERROR = 500
# Whoever is told to wait may come back at once, again and again: an event of each would make the flood worse
_MANY = (RateLimited, TooManyCalls, TooManyStreams, Overloaded)
# Nothing has happened yet, so a caller can be told quickly to try again; later it has, and waiting is better
INTENT_WITHIN_S = 0.25
CLOSED_WITHIN_S = 2.0
MICROSECONDS = 1_000_000
# The reason of a call that got the kept answer of an earlier one
IDEMPOTENT_REPLAY = "idempotent_replay"


@dataclass(slots=True)
class Record:
    """What is known of one call so far. The only part of a call that changes; each stage adds what it found."""

    recorder: Recorder
    received: Received
    backend: BackendPlan | None = None
    operation: OperationPlan | None = None
    principal: Principal | None = None
    answer: Answer | None = None
    response_bytes: int = 0
    retries: int = 0
    # What was asked for where it is no operation, such as a list of tools, and of which resource
    asked: str = ""
    audience: str = ""
    observation: Observation = field(default_factory=Observation)
    closed: bool = field(default=False, init=False)
    _is_intended: bool = field(default=False, init=False)
    # When each stage was over, in their order; one that was left out ends with the one before
    _marks: list[float] = field(default_factory=list, init=False)
    # Of a batch what follows its first message, each of which has an event of its own
    _further: list[OperationPlan] = field(default_factory=list, init=False)
    _trace: Trace | None = field(default=None, init=False)

    @property
    def trace(self) -> Trace:
        """Where the call stands in its trace."""
        if self._trace is None:
            self._trace = trace_of(self.received.headers, samples=self.observation.samples)
        return self._trace

    def passed(self, stage: int) -> None:
        """The call is through `stage`, one of those of proxy.observation.call."""
        marks = self._marks
        if stage > len(marks):
            marks.extend([marks[-1] if marks else self.received.started] * (stage - len(marks)))
        marks.append(monotonic())

    def located(self, located: Located) -> None:
        """Where the call wants to go is known, whether or not it will be allowed."""
        self.backend = located.match.backend
        if isinstance(located.match.result, Found):
            self.operation = located.match.result.operation
        self.passed(LOCATE)

    def identified(self, principal: Principal) -> None:
        """The caller is known."""
        self.principal = principal
        self.passed(IDENTIFY)

    def named(self, identified: Identified) -> None:
        """The operation is known where the body names it: one for each of its messages."""
        result = identified.located.match.result
        if isinstance(result, Found) and result.operation.messages:
            self.operation, *self._further = result.operation.messages

    def routed(self, answer: Answer) -> None:
        """The backend answered."""
        self.answer = answer
        self.retries = answer.retries
        self.passed(ROUTE)
        if answer.is_stream and self.received.method not in SAFE_METHODS:
            # Nobody may take this call for one that a process left behind before a stream may end
            self.recorder.post(self._draft(Phase.INTENT, decision=Decision.ALLOW, reason=STREAMING))

    async def intend(self) -> None:
        """Make the intent of a call that may change something durable, before the backend hears of it.

        Raises:
            AuditUnavailable: it is not durable, so the call must not go on.
        """
        if self.received.method not in SAFE_METHODS:
            self._is_intended = True
            await self._write(self._draft(Phase.INTENT, decision=Decision.ALLOW), within_s=INTENT_WITHIN_S)

    async def refused(self, refusal: Refusal) -> None:
        """Close with a refusal: of the caller, or an error of ours or the backend's.

        Raises:
            AuditUnavailable: the event is not durable.
        """
        decision = Decision.ERROR if refusal.status >= SERVER_ERROR else Decision.DENY
        self.retries = refusal.retries
        draft = self._draft(Phase.FINAL, decision=decision, reason=refusal.reason, status=refusal.status)
        if self._is_strange(refusal) and not self.recorder.refusals.admits(self._caller(), draft):
            self.closed = True
            self._tell(draft, refused_in=len(self._marks))
            return
        await self._close(draft)

    async def answered(self) -> None:
        """Close with the backend's answer, once its last bytes are here and before they are sent.

        Raises:
            AuditUnavailable: the event is not durable.
        """
        status = self.answer.status if self.answer else None
        reason = IDEMPOTENT_REPLAY if self.answer and self.answer.is_repeat else ""
        await self._close(self._draft(Phase.FINAL, decision=Decision.ALLOW, reason=reason, status=status))

    async def broken(self, reason: str) -> None:
        """Close a call whose answer did not reach its end; whoever waited has left, so nobody learns if this fails."""
        status = self.answer.status if self.answer else None
        await self._close(self._draft(Phase.FINAL, decision=Decision.ERROR, reason=reason, status=status))

    async def _close(self, draft: Draft) -> None:
        if self.closed:
            return
        self.closed = True
        # Of an answer that was read to its end, or not, the time goes to its body; a refusal is the next stage's
        stage = ANSWER if draft.decision is Decision.ALLOW else len(self._marks)
        self.passed(stage)
        try:
            await self._write(draft, within_s=CLOSED_WITHIN_S)
        finally:
            self.passed(RECORD)
            self._tell(draft, refused_in=None if stage == ANSWER else stage)

    def _tell(self, draft: Draft, *, refused_in: int | None) -> None:
        if self.observation.observers:
            call = Ended(draft, self.received.started, self._marks, refused_in, lambda: self.trace)
            for observer in self.observation.observers:
                observer(call)

    async def _write(self, draft: Draft, *, within_s: float) -> None:
        try:
            await self.recorder.record(draft, within_s)
            if self._further:
                await asyncio.gather(*(self.recorder.record(each, within_s) for each in self._others(draft)))
        except NotRecorded:
            raise AuditUnavailable from None

    def _others(self, draft: Draft) -> list[Draft]:
        return [
            replace(draft, id=new_event_id(), operation=plan.operation_id, scopes_required=plan.needs)
            for plan in self._further
        ]

    def _draft(self, phase: Phase, *, decision: Decision, reason: str = "", status: int | None = None) -> Draft:
        received, answer = self.received, self.answer
        principal, backend, operation = self.principal, self.backend, self.operation
        is_final = phase is Phase.FINAL
        return Draft(
            kind=Kind.PROXY_CALL_DECIDED,
            phase=phase,
            decision=decision,
            reason=reason,
            user=principal.user if principal else None,
            client_id=principal.client_id if principal else "",
            connection=principal.connection if principal else "",
            scopes=in_words(principal.scopes) if principal else "",
            token=principal.fingerprint if principal else "",
            backend=backend.name if backend else "",
            audience=self.audience or (backend.resource if backend else ""),
            operation=operation.operation_id if operation else self.asked,
            path=operation.template if operation else "",
            scopes_required=operation.needs if operation else "",
            method=received.method,
            status=status,
            upstream_status=answer.status if answer and not answer.is_repeat else None,
            latency_us=self._elapsed_us() if is_final else None,
            upstream_latency_us=int(answer.upstream_s * MICROSECONDS) if answer and not answer.is_repeat else None,
            request_bytes=received.body.received if is_final else received.body.length,
            response_bytes=self.response_bytes if is_final else None,
            retries=self.retries or None,
            request_id=received.request_id,
            address=truncated_address(received.address),
        )

    def _is_strange(self, refusal: Refusal) -> bool:
        # Of those nobody knows, and of those who were told to wait: anybody can make any number of them. What began
        # with an intent has an end of its own
        if self._is_intended:
            return False
        return isinstance(refusal, _MANY) or (refusal.status < SERVER_ERROR and self.principal is None)

    def _caller(self) -> str:
        key = self.principal.limit_key if self.principal else ""
        return key or address_network(self.received.address)

    def _elapsed_us(self) -> int:
        return int((asyncio.get_running_loop().time() - self.received.started) * MICROSECONDS)
