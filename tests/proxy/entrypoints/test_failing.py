"""What fails on the way, as the caller hears it and as the ledger has it afterwards."""

import asyncio
from typing import Any

import pytest
from django.db import connections

from audit.ledger.flood import FULL
from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from proxy.upstream.breaker import FAULTS
from tests.proxy.plane import Road
from tests.proxy.raw_backend import answer, chunked, once
from tests.proxy.world import JOBS, NARROW, OPEN, bearer, events

BUSY = answer(b"busy", "Retry-After: 7", status="503 Service Unavailable")


async def found(**lookups: Any) -> list[Event]:
    """Events, oldest first; what is posted in passing may take a moment."""

    def find() -> list[Event]:
        try:
            return list(Event.objects.filter(**lookups).order_by("timestamp", "id"))
        finally:
            connections.close_all()

    async with asyncio.timeout(5):
        while not (rows := await asyncio.to_thread(find)):  # noqa: ASYNC110 - a database tells nobody
            await asyncio.sleep(0.02)
        return rows


async def test_a_second_try_is_in_the_event(road: Road) -> None:
    road.upstream.says(once(b""), answer(b"at last"))
    heard = await road.call("GET", f"{JOBS}/jobs/7", bearer(road.stored.read))
    assert (heard.status, heard.body) == (200, b"at last")
    (event,) = await events(heard.request_id)
    assert (event.retries, event.upstream_status) == (1, 200)
    # The backend can tell that it is the same call
    assert len({arrived.header("x-request-id") for arrived in road.upstream.arrived}) == 1


async def test_a_second_try_that_fails_too_is_in_the_event(road: Road) -> None:
    road.upstream.says(once(b""))
    heard = await road.call("GET", f"{JOBS}/jobs/7", bearer(road.stored.read))
    assert heard.status == 502
    (event,) = await events(heard.request_id)
    assert (event.retries, event.reason) == (1, "backend_closed")


async def test_what_may_change_something_is_sent_once(road: Road) -> None:
    road.upstream.says(once(b""), answer(b"twice"))
    heard = await road.call("POST", f"{JOBS}/jobs", bearer(road.stored.write))
    assert (heard.status, len(road.upstream.arrived)) == (502, 1)
    assert (await events(heard.request_id))[-1].retries is None


async def test_the_backends_wish_to_wait_reaches_the_caller(road: Road) -> None:
    road.upstream.says(BUSY, answer(b"too early"))
    heard = await road.call("GET", f"{JOBS}/jobs/7", bearer(road.stored.read))
    assert (heard.status, heard.header("retry-after"), len(road.upstream.arrived)) == (503, "7", 1)


async def test_a_breaker_that_opens_is_an_event(road: Road) -> None:
    road.upstream.says(answer(status="504 Gateway Timeout"))
    for _call in range(FAULTS):
        await road.call("POST", f"{OPEN}/x")
    heard = await road.call("POST", f"{OPEN}/x")
    assert (heard.status, heard.json()["error"]) == (503, "backend_unavailable")
    assert int(heard.header("retry-after")) >= 10
    opened = (await found(kind=Kind.PROXY_BREAKER_OPENED))[-1]
    assert (opened.backend, opened.target, opened.decision) == ("open", "backend:open", "error")


async def test_strangers_do_not_fill_the_ledger(road: Road) -> None:
    heard = [await road.call("GET", f"{JOBS}/jobs/7", client=("203.0.113.77", 1)) for _call in range(FULL + 30)]
    assert {each.status for each in heard} == {401}
    # Whoever is known is always recorded
    known = await road.call("GET", f"{JOBS}/jobs/7", bearer(road.stored.read))
    assert len(await events(known.request_id)) == 1
    ids = [each.request_id for each in heard]
    assert len(await found(request_id__in=ids)) <= FULL
    road.recorder.refusals.flush()
    counted = (await found(kind=Kind.PROXY_REFUSALS_COUNTED, reason="no_credential"))[-1]
    assert int(counted.note.split()[0]) >= 30
    assert (counted.decision, counted.status, counted.address) == ("deny", 401, "203.0.113.0/24")


async def test_a_call_that_becomes_a_stream_says_so_before_anybody_takes_it_for_dead(road: Road) -> None:
    road.upstream.says(chunked(b"data: 1\n\n", headers=("Content-Type: text/event-stream",)))
    heard = await road.call("POST", f"{JOBS}/jobs", bearer(road.stored.write))
    assert heard.status == 200
    await found(request_id=heard.request_id, reason="streaming")
    told = [(event.phase, event.reason) for event in await events(heard.request_id)]
    assert sorted(told) == [("final", ""), ("intent", ""), ("intent", "streaming")]


@pytest.mark.parametrize("number", [3])
async def test_a_few_more_than_there_are_places_wait_for_one(road: Road, number: int) -> None:
    heard = await asyncio.gather(*(road.call("GET", f"{NARROW}/x", bearer(road.stored.narrow)) for _c in range(number)))
    assert [each.status for each in heard] == [200] * number
