"""The order of the stages, as a caller sees it, and that whatever a call held is given back."""

import asyncio

import pytest

from tests.proxy.asgi_client import Exchange
from tests.proxy.plane import Road
from tests.proxy.raw_backend import Step, answer, once, silence
from tests.proxy.world import JOBS, NARROW, bearer, events


def error(heard: Exchange) -> tuple[int, object]:
    """How a call was refused."""
    return heard.status, heard.json()["error"]


async def test_one_reading_of_the_path_comes_before_the_caller(road: Road) -> None:
    assert error(await road.call("GET", f"{JOBS}/a%2fb", bearer("gh_at_nobody"))) == (400, "invalid_request")


async def test_the_caller_comes_before_what_there_is(road: Road) -> None:
    assert error(await road.call("GET", f"{JOBS}/nothing")) == (401, "unauthenticated")
    assert error(await road.call("DELETE", f"{JOBS}/jobs/7")) == (401, "unauthenticated")


async def test_what_there_is_comes_before_the_scope(road: Road) -> None:
    assert error(await road.call("PATCH", f"{JOBS}/jobs", bearer(road.stored.read))) == (405, "method_not_allowed")


async def test_the_scope_comes_before_the_size(road: Road) -> None:
    sent = [bearer(road.stored.read), ("content-length", "9999999")]
    assert error(await road.call("POST", f"{JOBS}/jobs", *sent, body=None)) == (403, "insufficient_scope")


async def test_the_size_comes_before_the_rate(road: Road) -> None:
    sent = [bearer(road.stored.write), ("content-length", "9999999")]
    before = await road.call("GET", f"{JOBS}/free", bearer(road.stored.read))
    assert error(await road.call("POST", f"{JOBS}/jobs", *sent, body=None)) == (413, "content_too_large")
    after = await road.call("GET", f"{JOBS}/free", bearer(road.stored.read))
    left = [int(heard.header("ratelimit").split("r=")[1].split(";")[0]) for heard in (before, after)]
    # Refused calls use nothing up
    assert left[0] - left[1] == 1


async def test_a_call_without_a_place_is_not_intended(road: Road) -> None:
    road.upstream.says(silence)
    _first, running = road.begin("GET", f"{NARROW}/x", bearer(road.stored.narrow))
    await road.upstream.heard()
    full = await road.call("POST", f"{NARROW}/x", bearer(road.stored.narrow), body=(b"{}",))
    assert error(full) == (503, "overloaded")
    assert [(event.phase, event.reason) for event in await events(full.request_id)] == [("final", "overloaded")]
    await running


@pytest.mark.parametrize(
    "end", ["answered", "broken", "timeout", "client gone", "client gone in its body", "unrecorded"]
)
async def test_a_place_is_given_back_however_a_call_ends(road: Road, end: str) -> None:
    steps: dict[str, Step] = {"answered": answer(b"x"), "broken": once(b"garbage\r\n\r\n")}
    road.upstream.says(steps.get(end, silence))
    if end == "unrecorded":
        await asyncio.to_thread(road.recorder.stop)
    in_body = end == "client gone in its body"
    exchange, running = road.begin(
        "POST", f"{NARROW}/x", bearer(road.stored.narrow), body=None if in_body else (b"{}",)
    )
    if in_body:
        exchange.sends(b"{", more=True)
    if end == "client gone":
        await road.upstream.heard()
    if end.startswith("client gone"):
        exchange.leaves()
    await asyncio.wait_for(running, 2)
    road.recorder.start()
    road.upstream.says(answer(b"a place"))
    assert (await road.call("GET", f"{NARROW}/x", bearer(road.stored.narrow))).body == b"a place"
