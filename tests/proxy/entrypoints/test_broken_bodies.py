"""A backend that always answers with a good head, and then with no body: it is left alone like one that is gone."""

import asyncio
from contextlib import suppress

import pytest

from proxy.entrypoints.client_watch import ConnectionBroken
from proxy.entrypoints.mcp.revisions import HANDSHAKE
from proxy.entrypoints.rest import HELD_MAX
from proxy.upstream.breaker import FAULTS
from tests.proxy.entrypoints.mcp.conftest import Caller
from tests.proxy.plane import Road
from tests.proxy.raw_backend import Step, Wire, answer, chunk, of_length, once
from tests.proxy.world import NARROW, OPEN, bearer

CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
EVENTS = CHUNKS + b"Content-Type: text/event-stream\r\n\r\n" + chunk(b"data: 1\n\n")


def hangs(data: bytes) -> Step:
    """Write `data`, then nothing more."""

    async def step(wire: Wire) -> None:
        await wire.write(data)
        await wire.until_closed()

    return step


def resets(data: bytes) -> Step:
    """Write `data`, then reset the connection."""

    async def step(wire: Wire) -> None:
        await wire.write(data)
        wire.reset()

    return step


async def ask(road: Road, target: str, *headers: tuple[str, str]) -> int:
    """The status of a call, whether its answer comes whole or not."""
    exchange, running = road.begin("GET", target, *headers)
    with suppress(ConnectionBroken):
        await asyncio.wait_for(running, 5)
    return exchange.status


@pytest.mark.parametrize(
    "said",
    [
        once(of_length(10, b"half")),
        once(of_length(HELD_MAX + 1, b"half")),
        resets(of_length(HELD_MAX + 1, b"half")),
        once(CHUNKS + b"\r\n" + chunk(b"half")),
        CHUNKS + b"\r\n" + chunk(b"half") + b"nonsense\r\n",
        resets(EVENTS),
    ],
)
async def test_bodies_that_break_off_open_the_breaker(road: Road, said: Step) -> None:
    road.upstream.says(said)
    heard = [await ask(road, f"{OPEN}/x") for _call in range(FAULTS + 1)]
    assert 503 not in heard[:-1]
    assert (heard[-1], len(road.upstream.arrived)) == (503, FAULTS)


@pytest.mark.parametrize("said", [hangs(of_length(10, b"half")), hangs(CHUNKS + b"\r\n" + chunk(b"half"))])
async def test_bodies_that_never_end_open_the_breaker(road: Road, said: Step) -> None:
    road.upstream.says(said)
    heard = [await ask(road, f"{NARROW}/x", bearer(road.stored.narrow)) for _call in range(FAULTS + 1)]
    assert 503 not in heard[:-1]
    assert (heard[-1], len(road.upstream.arrived)) == (503, FAULTS)


@pytest.mark.parametrize(
    "said",
    [
        hangs(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"),
        hangs(EVENTS),
        resets(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"),
    ],
)
async def test_tools_count_as_well(road: Road, said: Step) -> None:
    caller = Caller(road, road.stored.tools_write, HANDSHAKE[0])
    road.upstream.says(said)
    told = [str(await caller.call("narrow-0", method="GET", path="x")) for _call in range(FAULTS + 1)]
    assert len(road.upstream.arrived) == FAULTS, told


async def test_whole_bodies_in_between_keep_it_closed(road: Road) -> None:
    broken = [once(of_length(10, b"half"))] * (FAULTS - 1)
    road.upstream.says(*broken, answer(b"whole"), *broken, answer(b"whole"))
    heard = [await ask(road, f"{OPEN}/x") for _call in range(2 * FAULTS)]
    assert heard == 2 * [*[502] * (FAULTS - 1), 200]


async def test_clients_that_leave_keep_it_closed(road: Road) -> None:
    road.upstream.says(hangs(CHUNKS + b"\r\n" + chunk(b"half")))
    for _call in range(2 * FAULTS):
        exchange, running = road.begin("GET", f"{OPEN}/x")
        await exchange.until(lambda heard: heard.body == b"half")
        exchange.leaves()
        await asyncio.wait_for(running, 2)
    road.upstream.says(answer(b"whole"))
    assert await ask(road, f"{OPEN}/x") == 200
