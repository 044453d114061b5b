"""`tools/call`: the operation behind a tool, through the six stages as every other call of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import structlog

from proxy.catalogue.plans import ToolPlan
from proxy.entrypoints.mcp.arguments import HttpCall
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.results import answered
from proxy.pipeline.call import Answer, Named, RawHeaders, Received
from proxy.pipeline.record import Record
from proxy.pipeline.run import run
from proxy.refusals import BackendNonsense, Crash, Refusal

RESULT_MAX_BYTES = 4 * 1024 * 1024
# Of the request that carries the message these concern the call inside it; a credential for Identify, the rest as sent
_KEPT = frozenset({b"authorization", b"accept-language", b"traceparent", b"tracestate", b"user-agent", b"via",
                   b"x-agent-tier", b"x-agent-name", b"x-agent-chain", b"idempotency-key"})  # fmt: skip
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class JsonBody:
    """A request body that is there already."""

    content: bytes | None
    received: int = 0
    length: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.length = None if self.content is None else len(self.content)

    async def open(self, *, limit: int, until: float) -> bytes | AsyncIterator[bytes] | None:
        """All of it: Validate has compared its length with `limit`."""
        del limit, until
        self.received = self.length or 0
        return self.content


async def call_operation(exchange: Exchange, plan: ToolPlan, call: HttpCall) -> tuple[JsonObject, Answer]:
    """The tool's result, durable in the ledger, and the head of the backend's answer.

    Args:
        call: what the arguments stand for.

    Raises:
        Refusal: the first stage that says no; it is recorded.
    """
    gateway, outer = exchange.gateway, exchange.caller.received
    received = _received(exchange, plan, call)
    record = exchange.inner_record(received)
    try:
        async with run(gateway, received, record) as answer:
            content = await _whole(answer, record)
            await record.answered()
        return answered(plan.tool, status=answer.status, headers=answer.headers, content=content), answer
    except Refusal as refusal:
        await record.refused(refusal)
        raise
    except asyncio.CancelledError:
        await record.broken("client_gone")
        raise
    except Exception:
        log.exception("tool_call_crashed", request_id=outer.request_id)
        await record.refused(Crash())
        raise Crash from None


def _received(exchange: Exchange, plan: ToolPlan, call: HttpCall) -> Received:
    outer = exchange.caller.received
    headers: RawHeaders = tuple((name, value) for name, value in outer.headers if name in _KEPT)
    typed = ((b"content-type", b"application/json"),) if call.body is not None else ()
    return Received(
        method=call.method,
        path=call.path,
        query=call.query,
        headers=(*call.headers, *headers, (b"accept", b"application/json, */*;q=0.5"), *typed),
        body=JsonBody(call.body),
        request_id=outer.request_id,
        address=outer.address,
        started=outer.started,
        named=Named(operation=plan.operation, resource=exchange.server),
    )


async def _whole(answer: Answer, record: Record) -> bytes:
    parts = []
    while answer.length != 0 and (chunk := await answer.stream.read()):
        record.response_bytes += len(chunk)
        if record.response_bytes > RESULT_MAX_BYTES:
            raise BackendNonsense(
                f"The answer has more than {RESULT_MAX_BYTES} bytes, too many for a tool; ask for less.",
                reason="result_too_large",
            )
        parts.append(chunk)
    return b"".join(parts)
