"""A backend that answers wrongly in every way, called by many at once: nobody gets another's answer."""

import asyncio
import time
import zlib

import pytest

from tests.attacks.gateway.conversation import Conversation
from tests.attacks.gateway.field import Field
from tests.attacks.gateway.memory import resident_mib
from tests.evidence.load import together
from tests.proxy.raw_backend import RawBackend, Step, Wire, answer, chunked

EVIL = answer(b'{"for": "nobody"}', "Content-Type: application/json")
GROWTH_MIB = 20
CALLERS = 16


def hostile(backend: RawBackend) -> Step:
    """Mostly a right answer with too much around it; of a hundred, four are broken off."""

    async def step(wire: Wire) -> None:
        mark = backend.arrived[-1].target.partition("?")[2]
        right, kind = answer(mark.encode(), "Content-Type: text/plain"), zlib.crc32(mark.encode()) % 100
        if kind < 2:
            wire.reset()
        elif kind < 4:
            await wire.write(right[:-2])
            wire.close()
        elif kind < 20:
            await wire.write(right + EVIL)
        elif kind < 30:
            await wire.write(right)
            await asyncio.sleep(0.002)
            await wire.write(EVIL)
        elif kind < 40:
            await wire.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + right)
        elif kind < 50:
            await wire.write(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 88\r\n\r\n" + EVIL)
        elif kind < 60:
            await wire.write(chunked(mark.encode()) + b"surplus")
        else:
            await wire.write(right)

    return step


@pytest.mark.parametrize("calls", [400, pytest.param(10_000, marks=pytest.mark.services)])
def test_no_answer_reaches_another_caller(field: Field, calls: int) -> None:
    prefix, before = field.fault(), resident_mib(field.process_id)
    field.backend.says(hostile(field.backend))
    marks = iter([f"mark-{number}-of-{calls}" for number in range(calls)])
    try:
        found = together(field.port, marks, lambda mark: field.get(f"{prefix}/a?{mark}", token=""), callers=CALLERS)
    finally:
        field.backend.says(field.usual)
    assert len(found) == calls
    assert {heard.status for heard in found} <= {0, 200, 304, 502, 503, 504}
    assert [heard for heard in found if heard.status == 200 and heard.body != heard.mark.encode()] == []
    assert sum(heard.status == 200 for heard in found) > calls / 4
    field.healthy(200)
    assert resident_mib(field.process_id) - before < GROWTH_MIB


def test_a_silent_backend_takes_no_place_from_others(field: Field) -> None:
    prefix = field.fault()

    async def silent(wire: Wire) -> None:
        await wire.until_closed()

    before = len(field.backend.arrived)
    field.backend.says(silent, field.usual)
    with Conversation(field.port) as wire:
        wire.write(field.get(f"{prefix}/a", token=""))
        while len(field.backend.arrived) == before:
            time.sleep(0.01)
        field.healthy(20)
        heard = wire.answer(within_s=2)
    assert heard is not None
    assert heard.status == 504
