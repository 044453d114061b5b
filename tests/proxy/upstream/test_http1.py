"""One exchange against a backend of raw bytes: what is sent arrives unchanged, and nonsense is called nonsense."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from proxy.refusals import (
    BackendClosed,
    BackendFault,
    BackendNonsense,
    RequestTimeout,
)
from proxy.upstream.pool import PooledTransport
from proxy.upstream.transport import Transport
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import RawBackend, Wire, answer, chunk, once
from tests.proxy.upstream.calls import get, pieces, request, whole
from tests.tcp_server import HOST, listening

MIB = 1_048_576

# What is sent


@pytest.mark.parametrize(
    "target",
    ["/", "/a/b/", "/a%20b/%C3%A9/%41", "/a?", "/a?b=c&b=d&e", "/a?x=%2e%2e%2f&y=+", "/~a!$&'()*+,=:@-._",
     "/a?[]{}|\\^`", "/a???", "/a?http://evil.example/../x", "/%2541"],
)  # fmt: skip
async def test_a_target_arrives_byte_for_byte(transport: Transport, backend: RawBackend, target: str) -> None:
    await get(transport, backend, "GET", target)
    assert backend.request.target == target


async def test_whatever_may_stand_in_a_query_arrives_byte_for_byte(transport: Transport, backend: RawBackend) -> None:
    printable = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")
    for query in (*printable, printable, "name=O'Brien", '{"a": 1}'.replace(" ", ""), "a=<b>"):
        await get(transport, backend, "GET", f"/jobs?{query}")
        assert backend.arrived[-1].target == f"/jobs?{query}"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
async def test_method_host_and_headers_arrive_as_given(transport: Transport, backend: RawBackend, method: str) -> None:
    sent = (("x-b", "1"), ("x-a", "2"), ("x-b", "3"), ("user-agent", "ChatGPT-User/1.0"), ("x-empty", ""))
    await get(transport, backend, method, "/jobs", *sent)
    arrived = backend.request
    assert arrived.line == f"{method} /jobs HTTP/1.1"
    assert arrived.header("host") == f"127.0.0.1:{backend.port}"
    for name, _value in sent:
        assert arrived.values(name) == [value for other, value in sent if other == name]


async def test_nothing_is_added_but_what_http_needs(transport: Transport, backend: RawBackend) -> None:
    await get(transport, backend, "GET", "/jobs")
    added = dict(backend.request.headers)
    added.pop("host")
    assert added.pop("accept", "*/*") == "*/*"
    assert added.pop("user-agent", "gatehouse") == "gatehouse"
    assert added == {}


async def test_a_whole_body_arrives_with_its_length(transport: Transport, backend: RawBackend) -> None:
    await get(transport, backend, "POST", "/jobs", ("content-length", "5"), body=b"\x00\r\n\xff!")
    assert backend.request.body == b"\x00\r\n\xff!"
    assert backend.request.values("content-length") == ["5"]
    assert backend.request.values("transfer-encoding") == []


async def test_a_streamed_body_of_known_length_keeps_it(transport: Transport, backend: RawBackend) -> None:
    await get(transport, backend, "PUT", "/jobs", ("content-length", "6"), body=pieces(b"abc", b"def"))
    assert backend.request.body == b"abcdef"
    assert backend.request.values("transfer-encoding") == []


async def test_a_streamed_body_of_unknown_length_is_chunked(transport: Transport, backend: RawBackend) -> None:
    await get(transport, backend, "POST", "/jobs", body=pieces(b"abc", b"d" * 70_000))
    assert backend.request.content == b"abc" + b"d" * 70_000
    assert backend.request.values("transfer-encoding") == ["chunked"]
    assert backend.request.values("content-length") == []


async def test_an_empty_piece_does_not_end_a_streamed_body(transport: Transport, backend: RawBackend) -> None:
    await get(transport, backend, "POST", "/jobs", body=pieces(b"", b"abc", b"", b"def", b""))
    assert backend.request.content == b"abcdef"


async def test_more_than_the_length_of_a_body_is_never_on_the_wire(transport: Transport, backend: RawBackend) -> None:
    smuggled = b"GET /evil HTTP/1.1\r\nHost: x\r\n\r\n"
    with suppress(Exception):
        await asyncio.wait_for(
            get(transport, backend, "POST", "/jobs", ("content-length", "3"), body=pieces(b"abc", smuggled)), 1
        )
    await get(transport, backend, "GET", "/next")
    assert "/evil" not in {arrived.target for arrived in backend.arrived}


async def test_a_body_is_sent_while_it_is_still_written(transport: Transport, backend: RawBackend) -> None:
    first_arrived = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.wait_for(first_arrived.wait(), 2)
        yield b"second"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"first")
        first_arrived.set()
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(answer(b"both"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    here = backend_plan(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    response = await transport.send(here, request("POST", "/jobs", body=slow()))
    assert await whole(response) == b"both"
    server.close()


@pytest.mark.parametrize("fault", [RequestTimeout(), ValueError("ours")])
async def test_what_goes_wrong_with_the_request_body_is_what_the_caller_hears(
    transport: Transport, backend: RawBackend, fault: Exception
) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"some"
        raise fault

    with pytest.raises(type(fault)):
        await get(transport, backend, "POST", "/jobs", body=failing())
    assert backend.arrived == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"])
async def test_no_proxy_of_the_environment_is_used(
    transport: Transport, backend: RawBackend, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with RawBackend.listening() as proxy:
        monkeypatch.setenv(name, proxy.url)
        assert await get(transport, backend) == (200, b"")
        assert proxy.arrived == []


# What comes back


async def test_status_headers_and_body_come_back(transport: Transport, backend: RawBackend) -> None:
    backend.says(answer(b"hello", "X-A: 1", "X-a: 2", "Set-Cookie: a=b", status="418 I'm a teapot"))
    response = await transport.send(backend_plan(backend.url), request())
    assert response.status == 418
    lowered = [(name.lower(), value) for name, value in response.headers]
    assert [value for name, value in lowered if name == "x-a"] == ["1", "2"]
    assert ("set-cookie", "a=b") in lowered
    assert await whole(response) == b"hello"


async def test_a_cookie_of_the_backend_is_not_kept_for_the_next_caller(
    transport: Transport, backend: RawBackend
) -> None:
    backend.says(answer(b"", "Set-Cookie: session=ana; Path=/"), answer())
    for _caller in range(2):
        await get(transport, backend)
    assert backend.arrived[1].values("cookie") == []


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Moved"])
async def test_redirects_are_answers(transport: Transport, backend: RawBackend, status: str) -> None:
    async with RawBackend.listening() as evil:
        backend.says(answer(b"", f"Location: {evil.url}/", status=status))
        assert (await get(transport, backend))[0] == int(status[:3])
        assert evil.arrived == []
    assert len(backend.arrived) == 1


async def test_an_encoded_body_is_left_as_it_is(transport: Transport, backend: RawBackend) -> None:
    bomb = gzip.compress(b"0" * 1_000_000)
    backend.says(answer(bomb, "Content-Encoding: gzip"))
    assert await get(transport, backend) == (200, bomb)


async def test_a_chunked_body_arrives_piece_by_piece(transport: Transport, backend: RawBackend) -> None:
    more = asyncio.Event()

    async def slow(wire: Wire) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"one"))
        await more.wait()
        await wire.write(chunk(b"two") + chunk(b""))

    backend.says(slow)
    response = await transport.send(backend_plan(backend.url), request())
    assert await asyncio.wait_for(response.read(), 2) == b"one"
    more.set()
    assert await whole(response) == b"two"


async def test_a_caller_who_reads_slowly_holds_the_backend_up(transport: Transport, backend: RawBackend) -> None:
    piece, count = b"a" * MIB, 64
    written = 0

    async def eager(wire: Wire) -> None:
        nonlocal written
        await wire.write(f"HTTP/1.1 200 OK\r\nContent-Length: {count * MIB}\r\n\r\n".encode())
        for _piece in range(count):
            await wire.write(piece)
            written += MIB

    backend.says(eager)
    response = await transport.send(backend_plan(backend.url), request())
    await asyncio.sleep(0.3)
    # What the kernel holds on both sides, and a little more
    assert written < count * MIB / 2
    read = 0
    while some := await response.read():
        read += len(some)
    await response.aclose()
    assert read == count * MIB


async def test_a_backend_that_reads_slowly_holds_the_caller_up(transport: Transport, backend: RawBackend) -> None:
    piece, count = b"a" * MIB, 64
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        for _piece in range(count):
            yield piece
            taken += MIB

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        seen.append(taken)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(count * MIB)
        writer.write(answer(b"all"))
        writer.close()

    seen: list[int] = []
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        plan = backend_plan(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        sent = request("POST", "/jobs", ("content-length", str(count * MIB)), body=body())
        assert await whole(await transport.send(plan, sent)) == b"all"
    assert seen[0] < count * MIB / 2


@pytest.mark.parametrize("is_read", [True, False])
async def test_a_backend_that_stops_talking_before_the_body_is_sent_has_not_answered(is_read: bool) -> None:
    faults: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: faults.append(context))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write_eof()
        await asyncio.sleep(0.1)
        if is_read:
            await whole_body(reader)
        await gone.wait()
        writer.close()

    async def whole_body(reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while await reader.read(MIB):
                pass

    gone = asyncio.Event()
    sent = request("POST", "/jobs", ("content-length", str(8 * MIB)), body=pieces(*[b"x" * MIB] * 8))
    transport = PooledTransport()
    async with listening(serve) as port:
        with pytest.raises(BackendClosed):
            async with asyncio.timeout(5):
                await transport.send(backend_plan(f"http://{HOST}:{port}"), sent)
        gone.set()
        await transport.aclose()
    assert faults == []


async def test_trailers_are_nothing(transport: Transport, backend: RawBackend) -> None:
    trailers = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-User-Id: evil\r\n\r\n"
    backend.says(trailers, answer(b"mine"))
    response = await transport.send(backend_plan(backend.url), request())
    assert await whole(response) == b"hi"
    assert "evil" not in str(response.headers)
    assert await get(transport, backend) == (200, b"mine")


async def test_interim_answers_are_passed_over(transport: Transport, backend: RawBackend) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    backend.says(interim * 3 + b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"final"))
    assert await get(transport, backend) == (200, b"final")


async def test_a_flood_of_interim_answers_is_nonsense(transport: Transport, backend: RawBackend) -> None:
    backend.says(once(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 10_000 + answer(b"final")))
    with pytest.raises(BackendNonsense):
        await get(transport, backend)


async def test_a_header_outside_ascii_is_left_out_alone(transport: Transport, backend: RawBackend) -> None:
    backend.says(answer(b"ok", "X-City: S\xe3o Paulo", "X-Plain: a"))
    response = await transport.send(backend_plan(backend.url), request())
    names = {name.lower() for name, _value in response.headers}
    assert names == {"x-plain", "content-length"}
    assert await whole(response) == b"ok"


async def test_a_body_up_to_the_end_of_the_connection_is_complete(transport: Transport, backend: RawBackend) -> None:
    backend.says(once(b"HTTP/1.1 200 OK\r\n\r\nall of it"))
    assert await get(transport, backend) == (200, b"all of it")


async def test_a_connection_that_is_reset_is_not_the_end_of_a_body(transport: Transport, backend: RawBackend) -> None:
    async def reset(wire: Wire) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        await asyncio.sleep(0.02)
        wire.reset()

    backend.says(reset)
    with pytest.raises(BackendNonsense) as refusal:
        await get(transport, backend)
    assert refusal.value.reason == "backend_body_broken"


async def test_a_surplus_answer_in_the_same_breath_leaves_no_trace(transport: Transport, backend: RawBackend) -> None:
    backend.says(answer(b"ana's", "X-A: 1") + answer(b"surplus", "X-B: 2", status="500 Surplus"))
    response = await transport.send(backend_plan(backend.url), request())
    assert response.status == 200
    assert [name for name, _value in response.headers] == ["x-a", "content-length"]
    assert await whole(response) == b"ana's"


# Nonsense


HEADS = {
    "no HTTP": once(b"garbage\r\n\r\n"),
    "HTTP of another kind": once(b"ICY 200 OK\r\n\r\n"),
    "a status that is no number": once(b"HTTP/1.1 abc OK\r\n\r\n"),
    "a status beyond 599": once(answer(b"ok", status="600 Odd")),
    "a status of nobody": once(answer(b"ok", status="999 Denied")),
    "two lengths": once(answer(b"hello", "Content-Length: 3")),
    "a negative length": once(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi"),
    "a NUL in a header": once(answer(b"ok", "X-A: b\0c")),
    "a blank before the colon": once(answer(b"ok", "X-A : b")),
    "a header without colon": once(b"HTTP/1.1 200 OK\r\nX-A\r\n\r\n"),
    "a head that does not end": once(answer(b"ok", *(f"X-{number}: {'b' * 8000}" for number in range(100)))),
    "another protocol": once(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw"),
}


@pytest.mark.parametrize("case", HEADS)
async def test_a_head_that_cannot_be_read_is_nonsense(transport: Transport, backend: RawBackend, case: str) -> None:
    backend.says(HEADS[case])
    with pytest.raises(BackendNonsense) as refusal:
        await get(transport, backend)
    assert (refusal.value.status, refusal.value.error) == (502, "backend_protocol_error")


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-A:"])
async def test_a_connection_that_ends_without_an_answer_is_a_fault(
    transport: Transport, backend: RawBackend, head: bytes
) -> None:
    backend.says(once(head))
    with pytest.raises(BackendFault):
        await get(transport, backend)
    # Whatever the method, a call is sent once
    assert len(backend.arrived) == 1


BODIES = {
    "shorter than its length": once(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi"),
    "a chunk that stops": once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi"),
    "no last chunk": once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"),
    "a size that is no number": once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n"),
    "a size that is too large": once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhi"),
}


@pytest.mark.parametrize("case", BODIES)
async def test_a_body_that_ends_early_or_cannot_be_read_is_nonsense(
    transport: Transport, backend: RawBackend, case: str
) -> None:
    backend.says(BODIES[case])
    with pytest.raises(BackendNonsense):
        await get(transport, backend)
