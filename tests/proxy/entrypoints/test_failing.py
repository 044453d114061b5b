"""What fails on the way, as the caller hears it and as the ledger has it afterwards."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from audit.ledger.flood import FULL
from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from proxy.entrypoints import client_watch
from proxy.entrypoints.asgi_types import Message
from proxy.entrypoints.client_watch import ConnectionBroken
from proxy.entrypoints.rest import HELD_MAX
from proxy.upstream.breaker import FAULTS
from tests.proxy.asgi_client import ADDRESS, Exchange, http_scope
from tests.proxy.plane import Road
from tests.proxy.raw_backend import Wire, answer, chunk, chunked, of_length, once
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


async def test_a_short_answer_that_breaks_off_is_a_502_and_none_of_it_is_shown(road: Road) -> None:
    road.upstream.says(once(of_length(10, b"half")))
    heard = await road.call("GET", f"{JOBS}/free", bearer(road.stored.read))
    assert (heard.status, heard.json()["error"]) == (502, "backend_protocol_error")
    (event,) = await events(heard.request_id)
    assert (event.decision, event.reason, event.status) == ("error", "backend_body_broken", 502)
    assert (event.upstream_status, event.response_bytes) == (200, 0)


async def test_a_short_answer_that_never_ends_is_a_504(road: Road) -> None:
    async def hangs(wire: Wire) -> None:
        await wire.write(of_length(10, b"half"))
        await wire.until_closed()

    road.upstream.says(hangs)
    heard = await road.call("GET", f"{NARROW}/x", bearer(road.stored.narrow))
    assert (heard.status, heard.json()["error"]) == (504, "backend_timeout")
    assert [event.reason for event in await events(heard.request_id)] == ["backend_body_timeout"]


async def test_a_short_answer_in_pieces_is_whole_and_a_long_one_does_not_wait(road: Road) -> None:
    large, more = b"a" * HELD_MAX, asyncio.Event()

    async def in_pieces(wire: Wire) -> None:
        await wire.write(of_length(6, b"one"))
        await wire.write(b"two")

    async def slowly(wire: Wire) -> None:
        await wire.write(of_length(len(large) + 1, large))
        await more.wait()
        await wire.write(b"b")

    road.upstream.says(in_pieces, slowly)
    assert (await road.call("GET", f"{JOBS}/free", bearer(road.stored.read))).body == b"onetwo"
    exchange, running = road.begin("GET", f"{JOBS}/free", bearer(road.stored.read))
    await exchange.until(lambda heard: heard.body == large)
    more.set()
    await running
    assert (exchange.body, exchange.complete) == (large + b"b", True)


async def test_an_address_that_only_asks_what_is_allowed_is_told_to_wait(road: Road) -> None:
    heard = [(await road.call("OPTIONS", f"{JOBS}/free")).status for _time in range(settings.RATE_LIMIT_MAX)]
    assert set(heard) == {204}
    for target in (f"{JOBS}/free", "/mcp"):
        refused = await road.call("OPTIONS", target)
        assert (refused.status, refused.json()["error"]) == (429, "rate_limited")
        assert int(refused.header("retry-after")) >= 1
    # Its calls are counted apart, and so is everybody else
    assert (await road.call("GET", f"{JOBS}/free", bearer(road.stored.read))).status == 200
    assert (await road.call("GET", f"{JOBS}/free")).status == 401


async def test_who_takes_nothing_of_an_answer_does_not_hold_its_place_for_ever(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(wire: Wire) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                await wire.write(chunk(b"a" * 65_536))

    async def taken_once(message: Message) -> None:
        await exchange.send(message)
        if message["type"] == "http.response.body":
            await asyncio.sleep(30)

    monkeypatch.setattr(client_watch, "TAKEN_WITHIN_S", 0.1)
    road.upstream.says(endless)
    exchange = Exchange()
    exchange.sends(b"")
    scope = http_scope("GET", f"{JOBS}/free", bearer(road.stored.read))
    scope["state"] = {"request_id": exchange.request_id, "address": ADDRESS}
    # The server breaks the connection of an application that raises after its head
    with pytest.raises(ConnectionBroken):
        await asyncio.wait_for(road.plane(scope, exchange.receive, taken_once), 5)
    assert not exchange.complete
    await asyncio.wait_for(road.upstream.closed.wait(), 1)
    (event,) = await events(exchange.request_id)
    assert (event.decision, event.reason, event.status) == ("error", "client_gone", 200)
