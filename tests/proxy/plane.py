"""A running data plane on a stored catalogue, its backends on the other side."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from audit.ledger.events import Draft
from audit.ledger.recorder import Recorder
from proxy.asgi import DataPlane
from proxy.catalogue import watch
from tests.proxy.asgi_client import Begun, Exchange, begin, call
from tests.proxy.raw_backend import RawBackend
from tests.proxy.world import Stored, store


@pytest.fixture(scope="module")
def stored(committed: None) -> Stored:
    """The catalogue, people and tokens of `world.py`."""
    del committed
    return store()


@pytest.fixture
async def upstream(stored: Stored) -> AsyncIterator[RawBackend]:
    """Every backend of that catalogue."""
    async with RawBackend.listening(port=stored.port) as started:
        yield started


class GatedRecorder(Recorder):
    """The recorder, behind a gate that a test may hold shut."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def record(self, draft: Draft, timeout_s: float = 5.0) -> None:
        """Wait for the gate, then record; a busy machine gets more time than a caller would give it."""
        await self.gate.wait()
        await super().record(draft, timeout_s)


@pytest.fixture
def recorder() -> GatedRecorder:
    """The data plane's recorder; the gate is open."""
    return GatedRecorder()


@dataclass(frozen=True)
class Road:
    """From a caller through the data plane to the backends."""

    plane: DataPlane
    upstream: RawBackend
    recorder: GatedRecorder
    stored: Stored

    def begin(self, method: str, target: str, *headers: tuple[str, str], **changes: Any) -> Begun:
        """Send a request."""
        return begin(self.plane, method, target, *headers, **changes)

    async def call(self, method: str, target: str, *headers: tuple[str, str], **changes: Any) -> Exchange:
        """Send a request and wait for its answer."""
        return await call(self.plane, method, target, *headers, **changes)


@pytest.fixture
async def plane(
    db: None, stored: Stored, recorder: GatedRecorder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[DataPlane]:
    """A running data plane on that catalogue."""
    del db, stored
    # How long it takes to end: hundreds of tests begin one of their own
    monkeypatch.setattr(watch, "LISTEN_S", 0.01)
    running = DataPlane(recorder=recorder)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def road(plane: DataPlane, upstream: RawBackend, recorder: GatedRecorder, stored: Stored) -> Road:
    """The whole of it."""
    return Road(plane, upstream, recorder, stored)
