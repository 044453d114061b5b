"""OpenTelemetry: one span for each call, one for each of its stages, and one for the request to the backend.

Made from what a finished call tells of itself, so that a call under way pays nothing but its ids. A thread of the
library sends them; when the collector does not answer, its queue fills and the oldest spans are dropped.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from audit.ledger.kinds import Decision
from proxy.observation.call import INTENT, ROUTE, STAGES, Ended
from proxy.observation.trace import Trace

SCOPE: Final = InstrumentationScope("gatehouse")
SERVER_ERROR: Final = 500
# A collector that is down costs so many spans of memory, and no more
QUEUE_MAX: Final = 4096
EXPORT_TIMEOUT_S: Final = 5.0
STOP_TIMEOUT_MS: Final = 3000
_NANOSECONDS: Final = 1_000_000_000
Attributes = dict[str, str | int]


class Traces:
    """Spans of one process, sent to `endpoint`, the base URL of a collector; of new traces the share `ratio`."""

    def __init__(self, endpoint: str, *, headers: Mapping[str, str], service: str, ratio: float) -> None:
        url = f"{endpoint.rstrip('/')}/v1/traces"
        exporter = OTLPSpanExporter(url, headers={**headers}, timeout=EXPORT_TIMEOUT_S)
        self._processor = BatchSpanProcessor(exporter, max_queue_size=QUEUE_MAX)
        self._resource = Resource.create({SERVICE_NAME: service})
        self._bound = TraceIdRatioBased(ratio).bound

    def samples(self, trace: int) -> bool:
        """Whether a new trace is kept, by the lower 64 bits of its id: every process decides alike."""
        return trace < self._bound

    def ended(self, call: Ended) -> None:
        """A call is over."""
        trace = call.trace()
        if trace.is_sampled:
            # Spans have the time of day, calls the monotonic clock
            since_epoch_ns = time.time_ns() - time.monotonic_ns()
            for span in _Call(call, trace, self._resource, since_epoch_ns).spans():
                self._processor.on_end(span)

    async def stop(self) -> None:
        """Send what is left, if the collector takes it within a few seconds."""
        await asyncio.to_thread(self._processor.shutdown)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call as spans; nothing in them names a person, a client or a path."""

    call: Ended
    trace: Trace
    resource: Resource
    since_epoch_ns: int

    def spans(self) -> Iterator[ReadableSpan]:
        """The call itself, its stages, and the request to the backend if there was one."""
        call, draft = self.call, self.call.draft
        own = self._context(self.trace.span_id)
        caller = self._context(self.trace.parent_id, is_remote=True) if self.trace.parent_id else None
        end = call.marks[-1] if call.marks else call.started
        yield self._span(
            draft.operation or "call", own, caller, (call.started, end), self._about(),
            kind=SpanKind.SERVER, is_error=draft.decision is Decision.ERROR,
        )  # fmt: skip
        before = call.started
        for stage, (name, mark) in enumerate(zip(STAGES, call.marks, strict=False)):
            if mark != before:
                context = self._context(f"{random.getrandbits(64) or 1:016x}")
                refusal: Attributes = {"gatehouse.reason": draft.reason} if stage == call.refused_in else {}
                yield self._span(name, context, own, (before, mark), refusal, is_error=bool(refusal))
                before = mark
        if draft.upstream_status is not None or call.refused_in == ROUTE:
            yield self._sent(own)

    def _sent(self, own: SpanContext) -> ReadableSpan:
        call, status = self.call, self.call.draft.upstream_status
        about: Attributes = {"gatehouse.backend": call.draft.backend, "http.request.method": call.draft.method}
        answered: Attributes = {} if status is None else {"http.response.status_code": status}
        return self._span(
            f"{call.draft.method} {call.draft.backend}",
            self._context(self.trace.sent_id),
            own,
            (call.marks[INTENT], call.marks[ROUTE]),
            about | answered,
            kind=SpanKind.CLIENT,
            is_error=status is None or status >= SERVER_ERROR,
        )

    def _about(self) -> Attributes:
        draft = self.call.draft
        known: Attributes = {
            "gatehouse.request_id": draft.request_id,
            "gatehouse.decision": draft.decision.value,
            "http.request.method": draft.method,
        }
        named = {"gatehouse.backend": draft.backend, "gatehouse.operation": draft.operation, "http.route": draft.path}
        named |= {"gatehouse.reason": draft.reason}
        status: Attributes = {} if draft.status is None else {"http.response.status_code": draft.status}
        return known | {name: value for name, value in named.items() if value} | status

    def _context(self, span_id: str, *, is_remote: bool = False) -> SpanContext:
        flags = TraceFlags(int(self.trace.flags, 16))
        return SpanContext(int(self.trace.trace_id, 16), int(span_id, 16), is_remote=is_remote, trace_flags=flags)

    def _span(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        times: tuple[float, float],
        attributes: Attributes,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        is_error: bool = False,
    ) -> ReadableSpan:
        start, end = (int(each * _NANOSECONDS) + self.since_epoch_ns for each in times)
        return ReadableSpan(
            name, context, parent, self.resource, attributes, kind=kind, start_time=start, end_time=end,
            status=Status(StatusCode.ERROR if is_error else StatusCode.UNSET), instrumentation_scope=SCOPE,
        )  # fmt: skip
