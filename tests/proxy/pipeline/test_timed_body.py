"""Whether a body that did not come in time is the backend's fault."""

import asyncio

import pytest

from proxy.pipeline.route import STALLED_S, TimedBody
from proxy.refusals import DeadlinePassed
from proxy.upstream.transport import BodyWatch, Headers

# Longer than a backend may be silent, and as long as a call takes
TIME_S = STALLED_S + 0.1


class Silent:
    """An answer whose body never comes."""

    status = 200
    headers: Headers = ()
    retries = 0
    is_ready = False

    def __init__(self) -> None:
        self.is_blamed = False

    def watch(self, watch: BodyWatch) -> None:
        """Nothing."""

    def stalled(self) -> None:
        """It is the backend's fault."""
        self.is_blamed = True

    async def read(self) -> bytes:
        """Wait."""
        await asyncio.Event().wait()
        return b""

    async def aclose(self) -> None:
        """Nothing."""


@pytest.fixture
def response() -> Silent:
    return Silent()


async def waited(response: Silent, *, begins_s: float = 0.0, idle_s: float | None = None) -> None:
    """Read once, `begins_s` after the call began, until the body is given up."""
    until = asyncio.get_running_loop().time() + TIME_S
    stream = TimedBody(response, deadline=until if idle_s is None else until + 60, call_until=until, idle_s=idle_s)
    await asyncio.sleep(begins_s)
    with pytest.raises(DeadlinePassed) as refusal:
        await stream.read()
    assert refusal.value.reason == "backend_body_timeout"


async def test_a_backend_that_is_silent_until_the_end_of_the_call_is_blamed(response: Silent) -> None:
    await waited(response)
    assert response.is_blamed


async def test_one_that_was_asked_for_more_just_before_is_not(response: Silent) -> None:
    await waited(response, begins_s=TIME_S - STALLED_S / 2)
    assert not response.is_blamed


@pytest.mark.parametrize("idle_s", [STALLED_S, 3 * TIME_S])
async def test_a_stream_may_be_silent(response: Silent, idle_s: float) -> None:
    await waited(response, idle_s=idle_s)
    assert not response.is_blamed


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_reader_who_gives_it_the_time_of_a_call_blames_it_too(response: Silent, *, is_stream: bool) -> None:
    until = asyncio.get_running_loop().time() + TIME_S
    stream = TimedBody(response, deadline=until + 60 * is_stream, call_until=until, idle_s=60.0 if is_stream else None)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout_at(until):
            await stream.read()
    assert response.is_blamed


@pytest.mark.parametrize("leaves_s", [STALLED_S, 3 * TIME_S])
async def test_whoever_leaves_blames_nobody(response: Silent, leaves_s: float) -> None:
    until = asyncio.get_running_loop().time() + TIME_S
    reading = asyncio.ensure_future(TimedBody(response, deadline=until + 60, call_until=until, idle_s=60.0).read())
    await asyncio.sleep(leaves_s)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not response.is_blamed
