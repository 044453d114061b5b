"""From an allowed call to the bytes a backend receives, and back within one deadline."""

import asyncio
import base64
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from proxy.pipeline import route as stage
from proxy.pipeline.call import Principal
from proxy.refusals import AnswerTooLarge, BackendNonsense, BackendUnreachable, DeadlinePassed, Unavailable
from proxy.upstream.pool import PooledTransport
from tests.proxy.pipeline.way import LIMIT_HEADERS, Way, claims
from tests.proxy.plans import ANA, NOBODY, PREFIX, GivenBody, received
from tests.proxy.raw_backend import RawBackend, Wire, answer, chunk, chunked, once, silence

# Inward


async def test_the_backend_receives_the_path_below_its_base_and_the_query_as_it_was(way: Way) -> None:
    await way.whole(received("GET", f"{PREFIX}/a%20b/", query=b"q=%2F&q=2&e="))
    assert way.backend.request.target == "/careers/a%20b/?q=%2F&q=2&e="


async def test_the_backend_learns_who_calls(way: Way) -> None:
    await way.whole(
        received("GET", f"{PREFIX}/jobs", ("x-user-id", "evil")), plan=way.plan(identity_headers=("X-Clerk-User-Id",))
    )
    arrived = way.backend.request
    assert arrived.header("x-user-id") == arrived.header("x-clerk-user-id") == "user_2abc"
    assert arrived.header("x-client-id") == "client-1"
    assert arrived.header("x-scopes") == "jobs:read"
    assert arrived.header("x-request-id") == received().request_id
    assert 0 < int(arrived.header("x-request-deadline-ms")) <= 5000


async def test_the_assertion_is_for_this_backend_and_this_call(way: Way) -> None:
    await way.whole(received("GET", f"{PREFIX}/jobs", query=b"q=1"))
    asserted = claims(way.backend.request.header("x-gateway-identity"))
    assert (asserted["aud"], asserted["sub"], asserted["client_id"]) == ("jobs", "user_2abc", "client-1")
    assert (asserted["htm"], asserted["htu"]) == ("GET", f"{way.backend.url}/careers/jobs")
    assert asserted["jti"] == received().request_id
    assert "bdh" not in asserted


async def test_a_whole_body_is_part_of_what_is_asserted(way: Way) -> None:
    body = b'{"job": 7}'
    await way.whole(received("POST", f"{PREFIX}/jobs", body=GivenBody(body, length=len(body))))
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
    assert claims(way.backend.request.header("x-gateway-identity"))["bdh"] == digest
    assert way.backend.request.body == body


async def test_a_disabled_scope_is_not_passed_on(way: Way) -> None:
    await way.whole(principal=replace(ANA, scopes=frozenset({"jobs:read", "gone:scope"})))
    assert way.backend.request.header("x-scopes") == "jobs:read"
    assert claims(way.backend.request.header("x-gateway-identity"))["scope"] == "jobs:read"


async def test_a_service_is_asserted_without_a_subject(way: Way) -> None:
    await way.whole(principal=Principal(kind="service", client_id="nightly"))
    assert way.backend.request.values("x-user-id") == []
    assert "sub" not in claims(way.backend.request.header("x-gateway-identity"))


@pytest.mark.parametrize(("principal", "mode"), [(NOBODY, "public"), (Principal(kind="passthrough"), "passthrough")])
async def test_nobody_is_asserted_when_nobody_was_verified(way: Way, principal: Principal, mode: str) -> None:
    await way.whole(principal=principal, mode=mode, key=None)
    names = {name for name, _value in way.backend.request.headers}
    assert not {"x-user-id", "x-client-id", "x-scopes", "x-gateway-identity"} & names


async def test_without_a_signing_key_nobody_is_sent_on_unasserted(way: Way) -> None:
    with pytest.raises(Unavailable) as refusal:
        await way.whole(key=None)
    assert (refusal.value.status, refusal.value.reason) == (503, "no_signing_key")
    assert way.backend.arrived == []


async def test_a_user_from_anywhere_is_a_header_of_printable_ascii(way: Way) -> None:
    assert ANA.user is not None
    stranger = replace(ANA, user=replace(ANA.user, external_id="josé\r\nX-Scopes: all"))
    await way.whole(principal=stranger)
    assert way.backend.request.header("x-user-id") == "jos%C3%A9%0D%0AX-Scopes:%20all"
    assert claims(way.backend.request.header("x-gateway-identity"))["sub"] == "josé\r\nX-Scopes: all"


# Framing of the request


@pytest.mark.parametrize(
    ("method", "content", "length", "framing"),
    [
        ("GET", None, None, {}),
        ("DELETE", None, None, {}),
        ("HEAD", None, None, {}),
        ("POST", None, None, {"content-length": "0"}),
        ("PUT", None, None, {"content-length": "0"}),
        ("PATCH", b"", 0, {"content-length": "0"}),
        ("POST", b"abc", 3, {"content-length": "3"}),
        ("POST", b"abc", None, {"content-length": "3"}),
        ("GET", b"abc", 3, {"content-length": "3"}),
    ],
)
async def test_the_framing_is_the_gateways_own(
    way: Way, method: str, content: bytes | None, length: int | None, framing: dict[str, str]
) -> None:
    sent = [("content-length", "99"), ("transfer-encoding", "chunked"), ("expect", "100-continue")]
    await way.whole(received(method, f"{PREFIX}/jobs", *sent, body=GivenBody(content, length=length)))
    arrived = dict(way.backend.request.headers)
    assert {
        name: arrived[name] for name in ("content-length", "transfer-encoding", "expect") if name in arrived
    } == framing
    assert way.backend.request.body == (content or b"")


@pytest.mark.parametrize(("length", "framing"), [(6, "content-length"), (None, "transfer-encoding")])
@pytest.mark.parametrize("query", [b"", b"q='"])
async def test_a_streamed_body_keeps_its_length_or_comes_in_chunks(
    way: Way, length: int | None, framing: str, query: bytes
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"abc"
        yield b"def"

    await way.whole(received("POST", f"{PREFIX}/jobs", query=query, body=GivenBody(pieces(), length=length)))
    assert way.backend.request.content == b"abcdef"
    names = {name for name, _value in way.backend.request.headers} & {"content-length", "transfer-encoding"}
    assert names == {framing}
    assert "bdh" not in claims(way.backend.request.header("x-gateway-identity"))


# The answer


async def test_the_answer_has_the_backends_status_and_length_and_what_is_left(way: Way) -> None:
    way.backend.says(answer(b"hello", "Content-Type: application/json", "Set-Cookie: a=b", status="201 Created"))
    routed, content = await way.whole()
    assert (routed.status, routed.length, content) == (201, 5, b"hello")
    headers = dict(routed.headers)
    assert (headers["content-length"], headers["ratelimit"]) == ("5", LIMIT_HEADERS[0][1])
    assert "set-cookie" not in headers
    assert 0 <= routed.upstream_s < 1


async def test_a_chunked_answer_has_no_length(way: Way) -> None:
    way.backend.says(chunked(b"one", b"two"))
    routed, content = await way.whole()
    assert (routed.length, content) == (None, b"onetwo")
    assert not {"content-length", "transfer-encoding"} & set(dict(routed.headers))


@pytest.mark.parametrize(
    ("method", "said", "announced"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "5"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "5"),
        # RFC 9110 section 8.6: none in a 204
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", None),
    ],
)
async def test_an_answer_without_a_body_has_none(way: Way, method: str, said: bytes, announced: str | None) -> None:
    way.backend.says(said)
    routed, content = await way.whole(received(method, f"{PREFIX}/jobs"))
    assert (routed.length, content) == (0, b"")
    assert dict(routed.headers).get("content-length") == announced


CHUNKED_AND_COUNTED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
COUNTED_TWICE = b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi"


@pytest.mark.parametrize(
    ("said", "query"), [(CHUNKED_AND_COUNTED, b""), (CHUNKED_AND_COUNTED, b"q='"), (COUNTED_TWICE, b"")]
)
async def test_an_answer_with_two_framings_is_refused_and_let_go(way: Way, said: bytes, query: bytes) -> None:
    async def unfinished(wire: Wire) -> None:
        await wire.write(said[:-1])
        await wire.until_closed()

    way.backend.says(unfinished)
    with pytest.raises(BackendNonsense) as refusal:
        await way.whole(received(query=query))
    assert refusal.value.reason == "backend_protocol_error"
    await asyncio.wait_for(way.backend.closed.wait(), 1)


async def test_nobody_there_is_unreachable(transport: PooledTransport) -> None:
    async with RawBackend.listening() as gone:
        pass
    with pytest.raises(BackendUnreachable):
        await Way(transport, gone).whole()


# One deadline


async def test_a_silent_backend_is_given_up_at_the_deadline(way: Way) -> None:
    way.backend.says(silence)
    started = time.monotonic()
    with pytest.raises(DeadlinePassed) as refusal:
        await way.whole(plan=way.plan(timeout_s=0.2))
    assert (refusal.value.status, refusal.value.reason) == (504, "backend_timeout")
    assert 0.15 < time.monotonic() - started < 0.7


async def test_a_body_that_drips_ends_at_the_same_deadline(way: Way) -> None:
    async def drip(wire: Wire) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await wire.write(chunk(b"x"))
            await asyncio.sleep(0.02)

    way.backend.says(drip)
    started = time.monotonic()
    with pytest.raises(DeadlinePassed) as refusal:
        await way.whole(plan=way.plan(timeout_s=0.3))
    assert refusal.value.reason == "backend_body_timeout"
    assert 0.25 < time.monotonic() - started < 0.8


async def test_time_that_passed_before_is_not_given_again(way: Way) -> None:
    way.backend.says(silence)
    started = time.monotonic()
    with pytest.raises(DeadlinePassed):
        await way.call(plan=way.plan(timeout_s=1.0), late_s=0.9)
    assert time.monotonic() - started < 0.6
    assert int(way.backend.request.header("x-request-deadline-ms")) <= 100


# Streams of events


async def event_stream(wire: Wire) -> None:
    """Three events, slower than any call may take."""
    await wire.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for number in range(3):
        await asyncio.sleep(0.15)
        await wire.write(chunk(f"data: {number}\n\n".encode()))
    await wire.write(chunk(b""))


async def test_a_stream_of_events_may_outlive_the_time_of_a_call(way: Way) -> None:
    way.backend.says(event_stream)
    routed, content = await way.whole(plan=way.plan(timeout_s=0.3))
    assert content == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert routed.length is None
    assert dict(routed.headers)["x-accel-buffering"] == "no"


async def test_a_stream_that_falls_silent_ends(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "EVENT_STREAM_IDLE_S", 0.05)
    way.backend.says(event_stream)
    with pytest.raises(DeadlinePassed):
        await way.whole()


async def test_a_stream_does_not_last_for_ever(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "EVENT_STREAM_MAX_S", 0.25)
    way.backend.says(event_stream)
    with pytest.raises(DeadlinePassed):
        await way.whole()


async def test_a_body_that_breaks_off_is_nonsense(way: Way) -> None:
    way.backend.says(once(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi"))
    with pytest.raises(BackendNonsense) as refusal:
        await way.whole()
    assert refusal.value.reason == "backend_body_broken"


# How much a backend may answer


async def test_an_announced_answer_that_is_too_long_is_refused_before_a_byte_of_it(way: Way) -> None:
    way.backend.says(answer(b"12345"))
    with pytest.raises(AnswerTooLarge):
        await way.call(plan=way.plan(max_response_bytes=4))


@pytest.mark.parametrize("most", [5, None])
async def test_an_answer_that_is_just_long_enough_is_carried(way: Way, most: int | None) -> None:
    way.backend.says(answer(b"12345"))
    assert (await way.whole(plan=way.plan(max_response_bytes=most)))[1] == b"12345"


async def test_the_length_that_head_tells_is_of_nothing_that_is_sent(way: Way) -> None:
    way.backend.says(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
    routed, content = await way.whole(received("HEAD"), plan=way.plan(max_response_bytes=4))
    assert (dict(routed.headers)["content-length"], content) == ("12345", b"")


async def test_an_answer_that_turns_out_too_long_is_broken_off(way: Way) -> None:
    way.backend.says(chunked(b"123", b"45"))
    routed = await way.call(plan=way.plan(max_response_bytes=4))
    # What fits may have been sent on before
    with pytest.raises(AnswerTooLarge):
        assert [await routed.stream.read() for _piece in range(2)] == [b"123", b"45"]
    await routed.stream.aclose()
