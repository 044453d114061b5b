"""The operation behind a tool, through the six stages as every other call of it."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from proxy.catalogue.media_types import JSON
from proxy.catalogue.plans import ToolPlan
from proxy.entrypoints.mcp.arguments import HttpCall
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.inner_call import JsonBody, carry, kept_headers
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.results import answered
from proxy.pipeline.call import Answer, Named, Received
from proxy.pipeline.record import Record
from proxy.refusals import DeadlinePassed, ToolResultTooLarge
from proxy.upstream.mcp.answers import EVENT_STREAM
from proxy.upstream.mcp.events import EventParser
from proxy.upstream.mcp.faults import AnswerTooLarge

RESULT_MAX_BYTES = 4 * 1024 * 1024
PROGRESS_MAX = 500


async def call_operation(exchange: Exchange, plan: ToolPlan, call: HttpCall) -> tuple[JsonObject, Answer]:
    """The tool's result, durable in the ledger, and the head of the backend's answer.

    Args:
        call: what the arguments stand for.

    Raises:
        Refusal: the first stage that says no; it is recorded.
    """
    content, answer = await carry(exchange, _received(exchange, plan, call), partial(_read, exchange))
    return answered(plan.tool, status=answer.status, headers=answer.headers, content=content, at=call.at), answer


def _received(exchange: Exchange, plan: ToolPlan, call: HttpCall) -> Received:
    outer = exchange.caller.received
    kind = plan.tool.row.request_type or JSON
    typed = ((b"content-type", kind.encode()),) if call.body is not None else ()
    return Received(
        method=call.method,
        path=call.path,
        query=call.query,
        headers=(*call.headers, *kept_headers(outer), (b"accept", b"application/json, */*;q=0.5"), *typed),
        body=JsonBody(call.body),
        request_id=outer.request_id,
        address=outer.address,
        started=outer.started,
        named=Named(operation=plan.operation, resource=exchange.server),
    )


async def _read(exchange: Exchange, answer: Answer, record: Record) -> bytes:
    if answer.is_stream and dict(answer.headers).get("content-type", "").lower().startswith(EVENT_STREAM):
        return await _gathered(exchange, answer, record)
    return b"".join([piece async for piece in _pieces(answer, record)])


async def _gathered(exchange: Exchange, answer: Answer, record: Record) -> bytes:
    """What a stream of events says, line by line; each event is progress, where the client wants to hear of it.

    Until it hears of one, the stream has the time of a whole call.
    """
    parser, told = EventParser(max_bytes=RESULT_MAX_BYTES), list[bytes]()
    timeout_s = record.backend.timeout_s if record.backend else 0.0
    try:
        async with asyncio.timeout_at(exchange.caller.received.started + timeout_s) as limit:
            async for piece in _pieces(answer, record):
                for event in parser.feed(piece):
                    told.append(event.data)
                    words = event.data.decode("utf-8", "replace")[:PROGRESS_MAX]
                    if await exchange.progress(len(told), words):
                        limit.reschedule(None)
    except TimeoutError:
        raise DeadlinePassed(reason="backend_body_timeout") from None
    except AnswerTooLarge:
        raise ToolResultTooLarge(RESULT_MAX_BYTES) from None
    return b"\n".join(told)


async def _pieces(answer: Answer, record: Record) -> AsyncIterator[bytes]:
    while answer.length != 0 and (piece := await answer.stream.read()):
        record.response_bytes += len(piece)
        if record.response_bytes > RESULT_MAX_BYTES:
            raise ToolResultTooLarge(RESULT_MAX_BYTES)
        yield piece
