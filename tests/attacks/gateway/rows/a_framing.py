"""A: framing and smuggling."""

import asyncio
import contextlib
import time
from typing import Any

from tests.attacks.gateway.conversation import Conversation
from tests.attacks.gateway.field import JOBS, Field, refused
from tests.attacks.gateway.table import HTTPTOOLS, named, row
from tests.attacks.table import NotMet
from tests.proxy.raw_backend import Step, Wire, answer, once

SMUGGLED = "smuggled"
CHUNKED = "Transfer-Encoding: chunked"
BODY = b'{"job":"1"}'
IN_ONE_CHUNK = b"b\r\n" + BODY + b"\r\n0\r\n\r\n"


def hidden(field: Field) -> bytes:
    """A whole request that must never be run."""
    return field.get(f"{JOBS}/v1/jobs?{SMUGGLED}")


def never_run(field: Field, sent: bytes, *statuses: int) -> None:
    """The one answer may be of `statuses`, and what was hidden is not run."""
    outcome = field.attack(sent)
    if any(SMUGGLED in arrived.target for arrived in outcome.arrived):
        raise NotMet("the hidden request was run")
    if outcome.answer is not None and (outcome.status not in statuses or not outcome.closed):
        raise NotMet(f"{outcome.status}, and the connection goes on")


@row(
    "A1",
    "Content-Length and Transfer-Encoding, a request behind the last chunk",
    expected="closed, not run",
)
def cl_te(field: Field, _case: Any) -> None:
    never_run(field, field.post("Content-Length: 6", CHUNKED) + b"0\r\n\r\n" + hidden(field), 200, 400)


@row("A2", "the same with a short Content-Length", expected="closed, not run")
def te_cl(field: Field, _case: Any) -> None:
    inner = hidden(field)
    never_run(field, field.post(f"Content-Length: {4}", CHUNKED) + b"0\r\n\r\n" + inner, 200, 400)


CODINGS = (
    "xchunked", "chunked, identity", "identity, chunked", "chunked;q=1", "\x0bchunked", '"chunked"', "chunked\x0b",
    "chunk", "chunked, chunked", "gzip", "gzip, chunked", "identity", "x", "chunked,", ",chunked", "chun ked",
    "chunked\x00", "\x85chunked", "chunked\xa0", "'chunked'", "chunked, cow", "cow, chunked",
)  # fmt: skip
LINES = {coding.encode("unicode_escape").decode(): [f"Transfer-Encoding: {coding}"] for coding in CODINGS} | {
    "space before the colon": ["Transfer-Encoding : chunked"],
    "two headers": [CHUNKED, "Transfer-Encoding: identity"],
    "the same twice": [CHUNKED, CHUNKED],
    "folded name": ["Transfer-Encoding\n : chunked"],
    "folded value": ["Transfer-Encoding:\r\n chunked"],
    "bare CR": ["X: y\rTransfer-Encoding: chunked"],
}


@row("A3", "Transfer-Encoding in disguise", expected="refused or framed by what remains", cases=LINES)
def te_te(field: Field, lines: list[str]) -> None:
    outcome = field.attack(field.post(*lines) + b"0\r\n\r\n" + hidden(field), within_s=12)
    if any(SMUGGLED in arrived.target for arrived in outcome.arrived):
        raise NotMet(f"{outcome.status}, and the hidden request was run")


@row("A4", "Content-Length as a list", expected="400", cases=named("4, 4", "4,5"))
def listed_length(field: Field, length: str) -> None:
    refused(field.attack(field.post(f"Content-Length: {length}"), b"{}  ", follow=False), 400)


LENGTHS = ("+4", "-1", "0x4", "4_0", "4;a", "4 4", "18446744073709551620", "4.0", "", "\xb2", "4e0")


@row("A5", "Content-Length that is no number", expected="400, closed", cases=named(*LENGTHS))
def bad_length(field: Field, length: str) -> None:
    refused(field.attack(field.post(f"Content-Length: {length}"), b"{}  "), 400, close=True)


SIZES = ("0xb", "+b", "b_0", "-b", "g", "", "1" * 17, "0b x", ";")


@row("A6", "chunk sizes that are none", expected="400, closed", cases=named(*SIZES))
def bad_chunk(field: Field, size: str) -> None:
    sent = field.post(CHUNKED) + size.encode() + b"\r\n" + BODY + b"\r\n0\r\n\r\n"
    refused(field.attack(sent), 400, close=True)


@row("A7", "a chunk extension of a mebibyte", expected="400, 413 or not passed on", spares="h11 refuses it")
def long_extension(field: Field, _case: Any) -> None:
    sent = field.post(CHUNKED) + b"b" + b";a=b" * (1 << 18) + b"\r\n" + BODY + b"\r\n0\r\n\r\n"
    outcome = field.attack(sent)
    if outcome.status not in {0, 200, 400, 413} or any(b"a=b" in arrived.body for arrived in outcome.arrived):
        raise NotMet(f"{outcome.status}")


@row("A8", "Transfer-Encoding in HTTP/1.0", expected="400")
def chunked_in_1_0(field: Field, _case: Any) -> None:
    sent = field.post(CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0", 1) + IN_ONE_CHUNK
    refused(field.attack(sent), 400)


@row(
    "A9",
    "lines that end in a bare LF",
    expected="400, or one request as RFC 9112 section 2.2 allows",
    spares="every HTTP server here takes it",
)
def bare_lf(field: Field, _case: Any) -> None:
    outcome = field.attack(field.get().replace(b"\r\n", b"\n"))
    if outcome.status not in {200, 400} or len(outcome.arrived) > 1:
        raise NotMet(f"{outcome.status}")


@row("A10", "bare CR and NUL in a value", expected="400", cases=named("b\rX-User-Id: 1", "b\0", "b\r\rc", "b\x7f"))
def control_character(field: Field, value: str) -> None:
    refused(field.attack(field.get(f"{JOBS}/v1/jobs", f"X-A: {value}")), 400)


NAMES = ("X-A : 1", ": 1", "X A: 1", "X-A\t: 1", "X(A): 1", "X-A", "X\xe9: 1", "X\0A: 1")


@row("A11", "names that are none", expected="400", cases=named(*NAMES), spares="h11 refuses it")
def bad_name(field: Field, line: str) -> None:
    refused(field.attack(field.get(f"{JOBS}/v1/jobs", line)), 400)


@row("A11b", "a space before the first header", expected="400", spares="h11 refuses it")
def leading_space(field: Field, _case: Any) -> None:
    refused(field.attack(field.get().replace(b"\r\nHost", b"\r\n X: 1\r\nHost", 1)), 400)


PLACES = (f"{JOBS}/v1/jobs", f"{JOBS}/v1/none", f"{JOBS}/v1/jobs/../x", "/healthz", "/accounts/login/", "/none", "/mcp",
          "/.well-known/oauth-authorization-server", f"{JOBS}/v1/applications")  # fmt: skip


@row(
    "A12",
    "a request as the body of a GET, with and without a credential",
    expected="one answer",
    cases=named(*PLACES),
    spares="it must go on working",
)
def body_of_get(field: Field, target: str) -> None:
    for token in ("TW", ""):
        inner = hidden(field)
        with Conversation(field.port) as wire:
            wire.write(field.get(target, f"Content-Length: {len(inner)}", token=token) + inner)
            wire.answer()
            nonce = field.nonce()
            before = len(field.backend.arrived)
            wire.write(field.get(f"{JOBS}/v1/jobs?{nonce}"))
            following = wire.answer()
        if following is not None and nonce.encode() not in following.body:
            raise NotMet("the next call got another's answer")
        if any(SMUGGLED in arrived.target for arrived in field.backend.arrived[before:]):
            raise NotMet("the hidden request was run")


TRAILERS = ("X-User-Id: evil", "Authorization: Bearer evil", "X-Forwarded-Proto: evil", "Content-Length: 0")


@row(
    "A13",
    "trailers, at once and late",
    expected="none becomes a header",
    cases=named(*TRAILERS),
    server=HTTPTOOLS,
)
def trailer(field: Field, line: str) -> None:
    first, last = field.post(CHUNKED) + b"b\r\n" + BODY + b"\r\n0\r\n", f"{line}\r\n\r\n".encode()
    for pause_s in (0, 0.2):
        before = len(field.backend.arrived)
        with Conversation(field.port) as wire:
            wire.write(first)
            time.sleep(pause_s)
            wire.write(last)
            heard = wire.answer()
        field.judge(heard)
        if any(b"evil" in arrived.head + arrived.body for arrived in field.backend.arrived[before:]):
            raise NotMet("it reached the backend")


@row(
    "A14",
    "Trailer and TE",
    expected="removed or 400",
    cases=named("Trailer: X-User-Id", "TE: trailers, gzip;q=0.5"),
)
def te_header(field: Field, line: str) -> None:
    outcome = field.call(f"{JOBS}/v1/jobs", line)
    name = line.partition(":")[0].lower()
    if outcome.status not in {200, 400} or any(arrived.values(name) for arrived in outcome.arrived):
        raise NotMet(f"{outcome.status}, and the backend received it")


@row("A15", "Expect: 100-continue, and then nothing", expected="408 or closed, backend not called", slow=True)
def expectation_only(field: Field, _case: Any) -> None:
    refused(field.attack(field.post("Content-Length: 11", "Expect: 100-continue"), within_s=14, follow=False), 408)


@row(
    "A16",
    "a body that ends early",
    expected="closed, backend not called",
    cases={"length": ["Content-Length: 10"], "chunks": [CHUNKED]},
)
def truncated(field: Field, lines: list[str]) -> None:
    before = len(field.backend.arrived)
    refused(field.attack(field.post(*lines), b'{"j', finish=True, follow=False), 400)
    time.sleep(0.1)
    if len(field.backend.arrived) != before:
        raise NotMet("the backend was called")


@row("A17", "JSON in chunks", expected="it arrives whole", spares="only WSGI loses it")
def chunked_json(field: Field, _case: Any) -> None:
    if field.attack(field.post(CHUNKED) + IN_ONE_CHUNK).received.content != BODY:
        raise NotMet("the body is another")


@row(
    "A18",
    "twenty calls of two people on one connection",
    expected="each its own answer",
    spares="it must go on working",
)
def pipelined(field: Field, _case: Any) -> None:
    calls = [(f"n{number}z", ("TR", "TB")[number % 2]) for number in range(20)]
    with Conversation(field.port) as wire:
        wire.write(b"".join(field.get(f"{JOBS}/v1/jobs?{nonce}", token=token) for nonce, token in calls))
        for nonce, token in calls:
            heard = wire.answer()
            user = b"alice" if token == "TR" else b"bob"
            if heard is None or nonce.encode() not in heard.body or user not in heard.body:
                raise NotMet("another's answer")


@row("A19", "WebSocket, with a version that is none, and a request behind it", expected="426 or 400, closed")
def upgrade(field: Field, _case: Any) -> None:
    lines = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 777", "Sec-WebSocket-Key: eA==")
    never_run(field, field.get(f"{JOBS}/v1/jobs", *lines) + hidden(field), 400, 426)


VERSIONS = (
    "HTTP/2.0",
    "HTTP/1.10",
    "HTTP/0.9",
    "http/1.1",
    "HTTP/1.1 extra",
    "HTTP/3.0",
    "HTTP/11",
    "HTP/1.1",
    "HTTP/1.2",
)


@row("A20", "versions that are not spoken", expected="400, 505 or closed", cases=named(*VERSIONS))
def version(field: Field, spoken: str) -> None:
    refused(field.attack(field.get().replace(b"HTTP/1.1", spoken.encode(), 1)), 400, 505)


EVIL_ANSWER = answer(b'{"evil":1}', "Content-Type: application/json")


def _late(wire: Wire) -> Any:
    async def step() -> None:
        await wire.write(answer(b"{}"))
        await asyncio.sleep(0.03)
        await wire.write(EVIL_ANSWER)

    return step()


SURPLUS: dict[str, tuple[str, Step]] = {
    "two answers": ("GET", answer(b"{}") + EVIL_ANSWER),
    "body on HEAD": ("HEAD", answer(b"x" * 40) + EVIL_ANSWER),
    "body on 304": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 88\r\n\r\n" + EVIL_ANSWER),
    "body on 204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL_ANSWER),
    "late answer": ("GET", _late),
}


@row(
    "A22",
    "a backend that answers more than it was asked",
    expected="nobody gets the surplus",
    cases=SURPLUS,
)
def surplus(field: Field, case: tuple[str, Step]) -> None:
    method, step = case
    prefix = field.fault()
    field.backend.says(step, field.usual)
    # What the first caller gets is another row's; whoever asks next must not get it
    with contextlib.suppress(NotMet):
        field.attack(field.request(method, f"{prefix}/a", token=""), follow=False)
    time.sleep(0.06)
    for _number in range(3):
        nonce = field.nonce()
        with Conversation(field.port) as wire:
            wire.write(field.get(f"{prefix}/b?{nonce}", token=""))
            heard = wire.answer()
        if heard is None or nonce.encode() not in heard.body:
            raise NotMet("the next caller got the surplus answer")


BROKEN: dict[str, bytes] = {
    "both framings": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\n{}  ",
    "a coding nobody asked for": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
    "length in hex": b"HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\n{}",
    "garbage for chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "chunks that end early": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "short body": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}",
    "garbage": b"\x16\x03\x01\x02\x00hello",
    "another protocol": b"SSH-2.0-OpenSSH\r\n\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
}


@row("A23", "answers with broken framing", expected="502 or broken off, never whole", cases=BROKEN)
def broken(field: Field, sent: bytes) -> None:
    heard = field.answered_by(once(sent))
    if heard is not None and heard.status != 502:
        raise NotMet(f"{heard.status} as if it were whole")


@row(
    "A24",
    "a thousand interim answers",
    expected="502 or the final answer",
    cases={"100": b"100 Continue", "103": b"103 Early Hints"},
    spares="httpx passes them over",
)
def interim_flood(field: Field, status: bytes) -> None:
    field.backend.says((b"HTTP/1.1 " + status + b"\r\n\r\n") * 1000 + answer(b"{}"), field.usual)
    outcome = field.attack(field.get(f"{field.fault()}/a", token=""))
    if outcome.status not in {200, 502}:
        raise NotMet(f"{outcome.status}")
