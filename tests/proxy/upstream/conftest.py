"""The transport of the data plane, and a listener that lets nobody in."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest

from proxy.upstream import pool
from proxy.upstream.pool import PooledTransport


@pytest.fixture
async def transport() -> AsyncIterator[PooledTransport]:
    """A transport of its own."""
    made = PooledTransport()
    yield made
    await made.aclose()


@pytest.fixture
def proven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every backend is believed to say no more than it is asked."""
    monkeypatch.setattr(pool, "SILENCES", 0)


@pytest.fixture
def full_listener() -> Iterator[int]:
    """The port of a listener whose queue is full: whoever connects waits."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _place in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
