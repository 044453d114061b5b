"""More than a process can carry: calls are refused at once, sign-in and health go on, and it passes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway_project import asgi, load
from gateway_project.asgi import GatewayApplication
from proxy.limits import concurrency
from tests.gateway_project.test_asgi import Lifespan, ask
from tests.proxy.asgi_client import HOST, begin
from tests.proxy.committed import committed, db
from tests.proxy.plane import GatedRecorder, recorder, stored, upstream
from tests.proxy.raw_backend import RawBackend, Wire, answer
from tests.proxy.world import JOBS, NARROW, Stored, bearer, events

__all__ = ["committed", "db", "recorder", "stored", "upstream"]

PLACES = 4


@pytest.fixture
async def small(
    db: None, stored: Stored, recorder: GatedRecorder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[GatewayApplication]:
    """A served application with room for a few."""
    del db, stored
    monkeypatch.setattr(asgi, "recorder", recorder)
    monkeypatch.setattr(load, "AT_ONCE_ORDINARY", PLACES)
    # However late the event loop of a busy machine is
    monkeypatch.setattr(load, "AT_LEAST", PLACES)
    monkeypatch.setattr(load, "AT_ONCE", PLACES + 2)
    application = GatewayApplication()
    lifespan = Lifespan(application)
    await lifespan.tell("startup")
    yield application
    await lifespan.tell("shutdown")
    await lifespan.end()


async def test_calls_are_shed_and_everything_else_goes_on(
    small: GatewayApplication, upstream: RawBackend, stored: Stored
) -> None:
    go = asyncio.Event()

    async def late(wire: Wire) -> None:
        await go.wait()
        await wire.write(answer(b"carried"))

    upstream.says(late)
    token, target = bearer(stored.read), f"{JOBS}/jobs/7"
    held = [begin(small, "GET", target, ("host", HOST[1]), token) for _place in range(PLACES)]
    async with asyncio.timeout(5):
        while len(upstream.arrived) < PLACES:
            await upstream.heard()
    shed = [await ask(small, "GET", target, token) for _call in range(10)]
    assert {(each.status, each.json()["error"], each.header("retry-after")) for each in shed} == {
        (503, "overloaded", "1")
    }
    assert len(upstream.arrived) == PLACES
    assert [event.reason for event in await events(shed[0].header("x-request-id"))] == ["overloaded"]
    for path in ("/accounts/login/", "/healthz", "/.well-known/oauth-authorization-server"):
        assert (await ask(small, "GET", path)).status == 200
    go.set()
    for exchange, running in held:
        await asyncio.wait_for(running, 5)
        assert exchange.body == b"carried"
    assert (await ask(small, "GET", target, token)).status == 200


async def test_a_crowd_at_one_backend_is_shed_before_anybody_asks_who_it_is(
    small: GatewayApplication, upstream: RawBackend, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "QUEUE_MAX", 0)
    go = asyncio.Event()

    async def late(wire: Wire) -> None:
        await go.wait()
        await wire.write(answer(b"carried"))

    upstream.says(late)
    _exchange, running = begin(small, "GET", f"{NARROW}/one", ("host", HOST[1]), bearer(stored.narrow))
    await upstream.heard()
    shed = await ask(small, "GET", f"{NARROW}/two")
    assert (shed.status, shed.json()["error"]) == (503, "overloaded")
    assert (await ask(small, "GET", f"{JOBS}/jobs/7")).status == 401
    go.set()
    await asyncio.wait_for(running, 5)
    assert (await ask(small, "GET", f"{NARROW}/two")).status == 401
