"""Both transports, each for every test that does not say otherwise."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest

from proxy.upstream.exact import ExactTransport
from proxy.upstream.hyper import HyperTransport
from proxy.upstream.transport import Transport
from proxy.upstream.transports import Transports


@pytest.fixture(params=["hyper", "exact"])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport | ExactTransport]:
    """A transport of its own."""
    if request.param == "exact":
        yield ExactTransport()
        return
    made = HyperTransport()
    yield made
    await made.aclose()


@pytest.fixture
async def transports() -> AsyncIterator[Transports]:
    """The choice between them."""
    made = Transports()
    yield made
    await made.aclose()


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
