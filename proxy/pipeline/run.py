"""The order of work: six stages, one screen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from proxy.catalogue.watch import Watcher
from proxy.ended_sessions.known import EndedSessions
from proxy.limits.concurrency import AwaitedBodies
from proxy.observation.call import CONSTRAIN, INTENT, TRANSFORM, VALIDATE, Observation
from proxy.pipeline.call import Answer, Constrained, Received
from proxy.pipeline.constrain import Limits
from proxy.pipeline.identify import Identifier
from proxy.pipeline.locate import locate
from proxy.pipeline.once import Once, key_of
from proxy.pipeline.record import Record
from proxy.pipeline.route import route
from proxy.pipeline.rpc import name_operation
from proxy.pipeline.transform import transform
from proxy.pipeline.validate import validate
from proxy.upstream.transport import Transport


@dataclass(frozen=True, slots=True)
class Gateway:
    """What the stages of one process share."""

    watcher: Watcher
    identifier: Identifier
    limits: Limits
    once: Once
    ended_sessions: EndedSessions
    transport: Transport
    # A backend says that its lists of tools, prompts or resources are other ones
    lists_changed: Callable[[str], None]
    # Calls whose servers wait for an answer of the client
    waiting: set[asyncio.Task[None]] = field(default_factory=set)
    # Set once the process is told to stop
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    observation: Observation = field(default_factory=Observation)
    awaited: AwaitedBodies = field(default_factory=AwaitedBodies)


@asynccontextmanager
async def run(gateway: Gateway, received: Received, record: Record) -> AsyncIterator[Answer]:
    """Carry one call to its backend; the answer may be read inside the block. Whoever opened `record` closes it.

    Raises:
        Refusal: the first stage that says no.
        ClientGone: the client left while its body was read.
    """
    located = locate(received, gateway.watcher.snapshot)
    record.located(located)
    identified = await gateway.identifier.identify(located)
    record.identified(identified.principal)
    named = await name_operation(identified)
    record.named(named)
    transformed = transform(named, traceparent=record.trace.traceparent)
    record.passed(TRANSFORM)
    validated = validate(transformed)
    record.passed(VALIDATE)
    constrained = await gateway.limits.constrain(validated)
    record.passed(CONSTRAIN)
    key = key_of(constrained)
    if key is None:
        async with _carried(gateway, record, constrained) as answer:
            record.routed(answer)
            with gateway.limits.stream(constrained, answer):
                yield answer
        return
    async with AsyncExitStack() as stack:
        answer = await gateway.once.answer(constrained, key, partial(_carried, gateway, record), stack)
        record.routed(answer)
        with gateway.limits.stream(constrained, answer):
            yield answer


@asynccontextmanager
async def _carried(gateway: Gateway, record: Record, constrained: Constrained) -> AsyncIterator[Answer]:
    await gateway.limits.enter(constrained)
    try:
        await record.intend()
        record.passed(INTENT)
        named = constrained.validated.received.named
        send = (named.router if named is not None else None) or route
        answer = await send(constrained, gateway.transport)
        try:
            yield answer
        finally:
            await answer.stream.aclose()
    finally:
        gateway.limits.release(constrained)
