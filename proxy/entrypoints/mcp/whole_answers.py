"""What a server behind this one says to a request, over as many streams as it takes.

It may end one before the result, to be asked for the rest later (2025-11-25, streamable HTTP, sending messages).
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.upstream_call import MESSAGE_MAX_BYTES, Heard, UpstreamCall
from proxy.upstream.mcp.answers import messages
from proxy.upstream.mcp.events import EventParser

# Between the end of a stream and asking for its rest: when the server does not say, and what it may say
RETRY_S: Final = 1.0
RETRY_MIN_S: Final = 0.1
RETRY_MAX_S: Final = 60.0


async def whole_answer(heard: Heard, upstream: UpstreamCall) -> AsyncIterator[JsonObject]:
    """Each message of the answer `heard` and of its rest, as it comes.

    Raises:
        McpFault: one cannot be read.
        Refusal: the server cannot be reached for the rest, or has broken off too often.
    """
    parser, is_answered = EventParser(max_bytes=MESSAGE_MAX_BYTES), False
    while True:
        async for document in messages(heard, max_bytes=MESSAGE_MAX_BYTES, parser=parser):
            is_answered = is_answered or "method" not in document
            yield document
        if is_answered or not parser.last_event_id or not upstream.session_id:
            return
        await asyncio.sleep(_pause_s(parser.retry_ms))
        parser.begin_again()
        if not await heard.goes_on(await upstream.rest_of(parser.last_event_id)):
            return


def _pause_s(retry_ms: int | None) -> float:
    return RETRY_S if retry_ms is None else min(max(retry_ms / 1000, RETRY_MIN_S), RETRY_MAX_S)
