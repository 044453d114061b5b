"""F: what uses something up."""

import asyncio
import contextlib
import gzip
import resource
import time
from typing import Any

from tests.attacks.gateway.conversation import Conversation
from tests.attacks.gateway.field import JOBS, Field, refused
from tests.attacks.gateway.memory import resident_mib
from tests.attacks.gateway.table import named, row
from tests.attacks.table import NotMet
from tests.proxy.raw_backend import Wire, answer, silence

GOOD = f"{JOBS}/v1/jobs"
# What the public backends of `prepare` may take, in seconds
DEADLINE_S = 1.5
SLACK_S = 0.5
# When a proxy that waits for them has given up on those who left
RECOVERS_S = 6
HOARDED = 2000
# Calls at the same time that a backend takes unless staff say otherwise
PLACES = 64
HEADS = {
    "one of 9 KiB": [f"X-A: {'x' * 9216}"],
    "one of 32 KiB": [f"X-A: {'x' * 32_768}"],
    "one of 70 KiB": [f"X-A: {'x' * 71_680}"],
    "a name of 9 KiB": [f"X-{'a' * 9216}: 1"],
    "110": [f"X-{number}: 1" for number in range(110)],
    "1000": [f"X-{number}: 1" for number in range(1000)],
    "40 KiB together": [f"X-{number}: {'x' * 1024}" for number in range(40)],
}


@row("F1", "large heads, and many headers", expected="431", cases=HEADS)
def large_head(field: Field, lines: list[str]) -> None:
    refused(field.call(GOOD, *lines), 431, 400)


@row("F2", "long targets", expected="414", cases={"9 KiB": 9216, "30 KiB": 30_720, "100 KiB": 102_400})
def long_target(field: Field, size: int) -> None:
    refused(field.call(f"{GOOD}?{'a' * size}"), 414)


@row(
    "F3",
    "a body over the limit, announced",
    expected="413 or 401 before it is sent, closed",
    cases={"with": "TW", "without": ""},
)
def announced(field: Field, token: str) -> None:
    started = time.monotonic()
    refused(
        field.attack(field.post("Content-Length: 1073741824", token=token), within_s=3), 413, 401, close=bool(token)
    )
    if time.monotonic() - started > 2:
        raise NotMet("late")


@row("F3b", "the same in chunks", expected="413 or closed before it is all sent")
def announced_by_chunk(field: Field, _case: Any) -> None:
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    refused(field.attack(field.post("Transfer-Encoding: chunked"), *[piece] * 40), 413)


@row(
    "F4", "heads that never end, on fifty connections", expected="others are served, each is cut within 11 s", slow=True
)
def slow_heads(field: Field, _case: Any) -> None:
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(Conversation(field.port)) for _number in range(50)]
        for wire in slow:
            wire.write(b"GET / HTTP/1.1\r\nX-A: ")
        field.healthy(4)
        if not all(wire.closes(within_s=11.5) for wire in slow):
            raise NotMet("one stays open")


@row("F5", "a body that stops", expected="408 or closed", slow=True)
def stopped_body(field: Field, _case: Any) -> None:
    refused(field.attack(field.post("Content-Length: 11"), b"{", within_s=13, follow=False), 408)


FORMS = named("/oauth/token", "/accounts/login/", "/admin/login/", "/mcp", f"{JOBS}/v1/applications")


@row("F5b", "three hundred bodies that stop, of strangers", expected="calls and pages go on", cases=FORMS,
     spares="it waits for any number")  # fmt: skip
def stopped_bodies(field: Field, target: str) -> None:
    lines = ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 5000")
    with contextlib.ExitStack() as stack:
        for _number in range(300):
            wire = stack.enter_context(Conversation(field.port))
            wire.write(field.request("POST", target, *lines, token=""), b"a=1")
        field.healthy(4)
        page = field.attack(field.get("/accounts/login/", token=""), follow=False).answer
        if page is None or page.status >= 500:
            raise NotMet("a page is refused")


@row("F5c", "the same of one person with a credential", expected="others are served",
     cases={"/mcp": ("/mcp", "MW"), "a backend": (f"{JOBS}/v1/applications", "TW")},
     spares="it waits for any number")  # fmt: skip
def stopped_calls(field: Field, case: tuple[str, str]) -> None:
    target, token = case
    lines = ("Content-Type: application/json", "Accept: application/json, text/event-stream", "Content-Length: 5000")
    with contextlib.ExitStack() as stack:
        for _number in range(300):
            wire = stack.enter_context(Conversation(field.port))
            wire.write(field.request("POST", target, *lines, token=token), b"{")
        time.sleep(1)
        field.healthy(4, only="TB")


@row("F7", "an answer that inflates to fifty megabytes", expected="sent on as it came")
def bomb(field: Field, _case: Any) -> None:
    packed = gzip.compress(b"\0" * 50_000_000)
    before = resident_mib(field.process_id)
    lines = ("Content-Type: application/json", "Content-Encoding: gzip")
    field.backend.says(answer(packed, *lines), field.usual)
    heard = field.attack(field.get(f"{field.fault()}/a", token=""), follow=False, within_s=20).answer
    if heard is None or heard.body != packed or heard.headers.get("content-encoding") != "gzip":
        raise NotMet("it is inflated")
    if resident_mib(field.process_id) - before > 32:
        raise NotMet("it takes memory")


DEEP: dict[str, bytes] = {
    "nesting": b"[" * 100_000 + b"]" * 100_000,
    "objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a long number": b"1" * 1_000_000,
    "many keys": b"{" + b",".join(b'"%d":1' % number for number in range(60_000)) + b"}",
}


@row("F8", "JSON that is hard to read", expected="no 500, within a second", cases=DEEP)
def hard_json(field: Field, body: bytes) -> None:
    for target, token in ((f"{JOBS}/v1/applications", "TW"), ("/mcp", "MW")):
        started = time.monotonic()
        lines = ("Accept: application/json, text/event-stream", f"Content-Length: {len(body)}")
        outcome = field.attack(field.post(*lines, target=target, token=token), body)
        if outcome.status not in {200, 400, 413, 415, 422} or time.monotonic() - started > 1.5:
            raise NotMet(f"{outcome.status}, or late")


@row("F10", "two thousand idle connections", expected="a newcomer is served", spares="it must go on working")
def hoard(field: Field, _case: Any) -> None:
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files, min(most, 2 * HOARDED)), most))
    with contextlib.ExitStack() as stack:
        for _number in range(HOARDED):
            stack.enter_context(Conversation(field.port))
        started = time.monotonic()
        field.healthy()
        if time.monotonic() - started > 2:
            raise NotMet("late")


def _drip(head: bytes) -> Any:
    async def step(wire: Wire) -> None:
        with contextlib.suppress(ConnectionError):
            for byte in head * 100:
                await wire.write(bytes([byte]))
                await asyncio.sleep(0.2)

    return step


async def _hang_inside(wire: Wire) -> None:
    await wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Type: application/json\r\n\r\n{")
    await wire.until_closed()


async def _drip_body(wire: Wire) -> None:
    await wire.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    await _drip(b"x")(wire)


async def _endless_headers(wire: Wire) -> None:
    with contextlib.suppress(ConnectionError):
        await wire.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            await wire.write(b"X-A: " + b"x" * 1000 + b"\r\n")
            await asyncio.sleep(0)


async def _reset(wire: Wire) -> None:
    wire.reset()
    await asyncio.sleep(0)


SLOW = {
    "silence": silence,
    "drip in the head": _drip(b"HTTP/1.1 200 OK\r\nX-A: b\r\n"),
    "drip in the body": _drip_body,
    "hang in the body": _hang_inside,
    "endless headers": _endless_headers,
    "reset": _reset,
}


@row("F11", "backends that never end", expected="502, 503 or 504 by the deadline", cases=SLOW)
def never_ends(field: Field, step: Any) -> None:
    started = time.monotonic()
    heard = field.answered_by(step, within_s=DEADLINE_S + SLACK_S)
    if heard is None or heard.status not in {502, 503, 504}:
        raise NotMet(f"{heard.status}" if heard else "broken off")
    if time.monotonic() - started > DEADLINE_S + SLACK_S:
        raise NotMet("late")


@row("F12", "two hundred and ten clients that leave", expected="twenty of twenty calls after that")
def leavers(field: Field, _case: Any) -> None:
    prefix = field.fault()
    field.backend.says(silence)
    try:
        for _round in range(3):
            with contextlib.ExitStack() as stack:
                for _number in range(70):
                    stack.enter_context(Conversation(field.port)).write(field.get(f"{prefix}/a", token=""))
                time.sleep(0.25)
    finally:
        field.backend.says(field.usual)
    try:
        _are_served(field, f"{prefix}/b")
    except NotMet:
        # Whoever is held up by them shall not fail the rows after this one for it
        time.sleep(RECOVERS_S)
        raise


def _are_served(field: Field, target: str) -> None:
    for _number in range(20):
        with Conversation(field.port) as wire:
            wire.write(field.get(target, token=""))
            heard = wire.answer(within_s=1)
        if heard is None or heard.status != 200:
            raise NotMet("a later call fails")


ALMOST = ("a" * 7000 + "!", "/".join("a" * 1000), "%61" * 2000, "a" * 3500 + "/" + "a" * 3500)


@row(
    "F13",
    "paths that almost match",
    expected="answered within a tenth of a second",
    cases={str(n): value for n, value in enumerate(ALMOST)},
    spares="it has no patterns",
)
def almost(field: Field, rest: str) -> None:
    started = time.monotonic()
    field.call(f"{GOOD}/{rest}")
    if time.monotonic() - started > 0.5:
        raise NotMet("late")


RANGES = {"in one header": [f"Range: bytes={','.join(['0-'] * 1000)}"], "in headers": ["Range: bytes=0-9"] * 60}


@row("F14", "a thousand ranges", expected="431, 400, or one range at most", cases=RANGES)
def ranges(field: Field, lines: list[str]) -> None:
    outcome = field.call(GOOD, *lines)
    if any(",".join(arrived.values("range")).count("-") > 1 for arrived in outcome.arrived):
        raise NotMet("the backend received them")


@row("F14b", "one range", expected="sent on", cases=named("bytes=0-9"), spares="it must go on working")
def one_range(field: Field, value: str) -> None:
    if field.call(GOOD, f"Range: {value}").received.values("range") != [value]:
        raise NotMet("the backend did not receive it")


@row("F15", "Last-Event-ID of 64 KiB", expected="431")
def event_id(field: Field, _case: Any) -> None:
    refused(field.call(GOOD, f"Last-Event-ID: {'x' * 65_536}"), 431, 400)


async def _holds_on(wire: Wire) -> None:
    await wire.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
    await wire.until_closed()


@row("F15b", "more streams than one caller may hold", expected="429 for what is too many, others are served")
def hoarded_streams(field: Field, _case: Any) -> None:
    field.backend.says(_holds_on)
    heard = []
    try:
        with contextlib.ExitStack() as stack:
            for number in range(PLACES // 2 + 4):
                wire = stack.enter_context(Conversation(field.port))
                # Some clients say that they want a stream, others see
                wire.write(field.get(GOOD, *["Accept: text/event-stream"][: number % 2]))
                heard.append(wire.status(within_s=3))
                if heard[-1] not in {200, 429}:
                    raise NotMet(f"{heard[-1]}")
            field.backend.says(field.usual)
            # Whoever holds them has used up their own places, and nobody else's
            field.healthy(4, only="TB")
    finally:
        field.backend.says(field.usual)
    if heard != [200] * (PLACES // 2) + [429] * 4:
        raise NotMet(f"{heard.count(200)} are open")
    field.healthy(4)
