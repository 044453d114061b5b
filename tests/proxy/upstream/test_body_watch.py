"""What is told of a body: that it came whole, or that the backend broke it off; of what the caller does, nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from proxy.refusals import BackendNonsense, RequestTimeout
from proxy.upstream import http1
from proxy.upstream.transport import Transport, UpstreamRequest, UpstreamResponse
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import RawBackend, Step, Wire, answer, chunk, chunked, of_length, once
from tests.proxy.upstream.calls import request, whole
from tests.tcp_server import HOST

CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BROKEN = "backend_body_broken"
MIB = 1_048_576


class Watch:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def ended(self) -> None:
        """It came whole."""
        self.heard.append("")

    def broke(self, reason: str) -> None:
        """It did not."""
        self.heard.append(reason)


async def sent(
    transport: Transport, backend: RawBackend, asked: UpstreamRequest | None = None
) -> tuple[UpstreamResponse, Watch]:
    """The answer to a call, watched as soon as its head is there."""
    response, watch = await transport.send(backend_plan(backend.url), asked or request()), Watch()
    response.watch(watch)
    return response, watch


def then_reset(data: bytes, *, after_s: float = 0.0) -> Step:
    """Write `data`, then reset the connection."""

    async def step(wire: Wire) -> None:
        await wire.write(data)
        await asyncio.sleep(after_s)
        wire.reset()

    return step


@pytest.mark.parametrize(
    "said",
    [
        answer(b"all of it"),
        chunked(b"all", b"of it"),
        answer(status="204 No Content"),
        once(b"HTTP/1.1 200 OK\r\n\r\nuntil the end"),
    ],
)
async def test_a_whole_body_is_told_once(transport: Transport, backend: RawBackend, said: Step) -> None:
    backend.says(said)
    response, watch = await sent(transport, backend)
    await whole(response)
    await response.aclose()
    assert watch.heard == [""]


@pytest.mark.parametrize(
    "said",
    [
        once(of_length(10, b"half")),
        once(of_length(10, b"")),
        once(CHUNKS + b"4\r\nhalf\r\n"),
        CHUNKS + b"4\r\nhalf\r\nnonsense\r\n",
        then_reset(of_length(10, b"half")),
        then_reset(of_length(10, b"half"), after_s=0.05),
        then_reset(b"HTTP/1.1 200 OK\r\n\r\nuntil the end"),
    ],
)
async def test_a_body_that_breaks_off_is_told_once(transport: Transport, backend: RawBackend, said: Step) -> None:
    backend.says(said)
    response, watch = await sent(transport, backend)
    with pytest.raises(BackendNonsense, match="cannot be read"):
        await whole(response)
    response.stalled()
    await response.aclose()
    assert watch.heard == [BROKEN]


async def test_one_that_broke_before_anybody_watched_is_told_too(transport: Transport, backend: RawBackend) -> None:
    backend.says(once(of_length(10, b"half")))
    response, watch = await transport.send(backend_plan(backend.url), request()), Watch()
    await asyncio.sleep(0.05)
    response.watch(watch)
    await response.aclose()
    assert watch.heard == [BROKEN]


async def test_a_body_that_stays_out_is_told_by_whoever_waited(transport: Transport, backend: RawBackend) -> None:
    backend.says(hangs)
    response, watch = await sent(transport, backend)
    response.stalled()
    await response.aclose()
    assert watch.heard == ["backend_body_timeout"]


async def hangs(wire: Wire) -> None:
    """Half of a body, and no more."""
    await wire.write(of_length(10, b"half"))
    await wire.until_closed()


async def test_nothing_is_told_of_whoever_leaves(transport: Transport, backend: RawBackend) -> None:
    backend.says(hangs)
    response, watch = await sent(transport, backend)
    assert await response.read() == b"half"
    await response.aclose()
    await backend.closed.wait()
    assert watch.heard == []


async def test_nothing_is_told_of_a_callers_own_body_that_fails(transport: Transport) -> None:
    async def too_slow() -> AsyncIterator[bytes]:
        yield b"some"
        await asyncio.sleep(0.1)
        raise RequestTimeout

    async def answers_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(CHUNKS + chunk(b"some"))
        await Wire(reader, writer).until_closed()
        writer.close()

    async with await asyncio.start_server(answers_early, HOST, 0) as server:
        plan = backend_plan(f"http://{HOST}:{server.sockets[0].getsockname()[1]}")
        response, watch = await transport.send(plan, request("POST", "/jobs", body=too_slow())), Watch()
        response.watch(watch)
        with pytest.raises(RequestTimeout):
            await whole(response)
        await response.aclose()
    assert watch.heard == []


async def test_nothing_is_told_of_what_the_caller_let_wait(
    transport: Transport, backend: RawBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http1, "HELD_MAX_S", 0.1)
    backend.says(then_reset(of_length(4 * MIB, b"x" * MIB), after_s=0.5))
    response, watch = await sent(transport, backend)
    await asyncio.sleep(0.3)
    with pytest.raises(BackendNonsense):
        await whole(response)
    assert watch.heard == []


async def test_nothing_is_told_of_a_stream_that_outlived_its_call(transport: Transport, backend: RawBackend) -> None:
    backend.says(then_reset(CHUNKS + chunk(b"data: 1"), after_s=0.8))
    response, watch = await sent(
        transport, backend, replace(request(), deadline=asyncio.get_running_loop().time() + 0.5)
    )
    with pytest.raises(BackendNonsense):
        await whole(response)
    assert watch.heard == []
