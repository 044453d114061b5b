"""The call that a message stands for: through the six stages, with a record of its own, closed whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from proxy.entrypoints.mcp.errors import RpcError
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.pipeline.call import Answer, Headers, RawHeaders, Received
from proxy.pipeline.record import Record
from proxy.pipeline.run import run
from proxy.refusals import Crash, Refusal

# Of the request that carries the message these concern the call inside it; a credential for Identify, the rest as sent
_KEPT = frozenset({b"authorization", b"accept-language", b"traceparent", b"tracestate", b"user-agent", b"via",
                   b"x-agent-tier", b"x-agent-name", b"x-agent-chain", b"idempotency-key"})  # fmt: skip
Result = TypeVar("Result")
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


async def carry(
    exchange: Exchange, received: Received, read: Callable[[Answer, Record], Awaitable[Result]]
) -> tuple[Result, Answer]:
    """What `read` makes of the backend's answer, durable in the ledger, and the head of that answer.

    Raises:
        Refusal: the first stage that says no; it is recorded.
        RpcError: what the backend says in the place of a result.
    """
    record = exchange.inner_record(received)
    try:
        async with run(exchange.gateway, received, record) as answer:
            result = await read(answer, record)
            await record.answered()
    except Refusal as refusal:
        await record.refused(refusal)
        raise
    except RpcError:
        await record.answered()
        raise
    except asyncio.CancelledError:
        await record.broken("client_gone")
        raise
    except Exception:
        # The last fence of a call. Refusals, what the backend says and a client that left are told apart above: this is
        # a fault of ours, of whatever kind, and a call without an event for its end would be the one nobody can explain
        log.exception("inner_call_crashed", request_id=received.request_id)
        await record.refused(Crash())
        raise Crash from None
    return result, answer


def kept_headers(outer: Received) -> RawHeaders:
    """What of the request around a message concerns the call inside it."""
    return tuple((name, value) for name, value in outer.headers if name in _KEPT)


def limit_headers(headers: Headers) -> Headers:
    """What tells a caller how much is left, or when to come back."""
    return tuple((name, value) for name, value in headers if name in {"ratelimit", "ratelimit-policy", "retry-after"})
