"""The whole data plane, from an ASGI request to the bytes at the backend, and back with its event in the ledger."""

import asyncio

import pytest

from proxy.entrypoints.client_watch import ConnectionBroken
from proxy.entrypoints.rest import HELD_MAX
from proxy.upstream.breaker import FAULTS
from tests.proxy.asgi_client import Exchange
from tests.proxy.plane import Road
from tests.proxy.raw_backend import Step, Wire, answer, chunk, chunked, of_length, once, silence
from tests.proxy.world import API_KEY, JOBS, KEYED, NARROW, OPEN, THEIRS, bearer, events


async def test_a_call_is_carried_and_answered(road: Road) -> None:
    road.upstream.says(answer(b'{"id": 7}', "Content-Type: application/json", "ETag: x"))
    heard = await road.call("GET", f"{JOBS}/jobs/7?q=a%2Fb", bearer(road.stored.read), ("x-note", "1"))
    assert (heard.status, heard.body, heard.header("etag")) == (200, b'{"id": 7}', "x")
    arrived = road.upstream.request
    assert arrived.target == "/jobs/jobs/7?q=a%2Fb"
    assert arrived.header("x-user-id") == arrived.header("x-clerk-user-id") == "user_2abc"
    assert arrived.header("x-request-id") == heard.request_id
    assert arrived.values("authorization") == []
    assert road.stored.read not in str(arrived.headers)


async def test_every_answer_says_what_the_contract_promises(road: Road) -> None:
    good = await road.call("GET", f"{JOBS}/jobs/7", bearer(road.stored.read), ("origin", "https://chatgpt.com"))
    refused = await road.call("GET", f"{JOBS}/jobs/7", ("origin", "https://chatgpt.com"))
    for heard in (good, refused):
        assert heard.header("x-request-id") == heard.request_id
        assert heard.header("x-content-type-options") == "nosniff"
        assert heard.header("cache-control") == "no-store"
        assert heard.header("access-control-allow-origin") == "https://chatgpt.com"
        assert "Origin" in heard.header("vary").split(", ")
    assert good.header("ratelimit").startswith('"default";r=')
    assert road.upstream.connections == 1


# Refusals


@pytest.mark.parametrize(
    ("request_line", "headers", "status", "error"),
    [
        (f"GET {JOBS}/jobs/7", [], 401, "unauthenticated"),
        (f"GET {JOBS}/jobs/7", [("authorization", "Bearer gh_at_nobody")], 401, "invalid_token"),
        (f"GET {JOBS}/jobs/7", [("x-api-key", API_KEY)], 401, "unauthenticated"),
        (f"GET {JOBS}/jobs/7?access_token=x", ["read"], 401, "invalid_request"),
        (f"GET {NARROW}/x", ["read"], 401, "invalid_token"),
        ("GET /api/v1/nothing", [], 401, "unauthenticated"),
        ("GET /api/v1/nothing", ["read"], 404, "not_found"),
        (f"GET {JOBS}/nothing", ["read"], 404, "not_found"),
        (f"POST {JOBS}/jobs", ["read"], 403, "insufficient_scope"),
        (f"PUT {JOBS}/jobs", ["write"], 405, "method_not_allowed"),
        (f"GET {JOBS}/jobs/%2e%2e", ["read"], 400, "invalid_request"),
        (f"GET {JOBS}/jobs/7?a=\xe9", ["read"], 400, "invalid_request"),
        (f"GET {KEYED}/x", [], 401, "unauthenticated"),
        (f"GET {KEYED}/x", ["read"], 401, "unauthenticated"),
    ],
)
async def test_what_is_not_allowed_never_reaches_a_backend(
    road: Road, request_line: str, headers: list[str | tuple[str, str]], status: int, error: str
) -> None:
    sent = [bearer(getattr(road.stored, each)) if isinstance(each, str) else each for each in headers]
    method, _space, target = request_line.partition(" ")
    heard = await road.call(method, target, *sent)
    assert (heard.status, heard.json()["error"]) == (status, error)
    assert heard.json()["request_id"] == heard.request_id
    assert heard.header("content-type") == "application/problem+json"
    assert road.upstream.arrived == []
    if status == 401:
        assert heard.values("www-authenticate")
    (event,) = await events(heard.request_id)
    assert (event.decision, event.status, event.phase) == ("deny", status, "final")


async def test_other_modes_let_in_whom_they_should(road: Road) -> None:
    assert (await road.call("GET", f"{OPEN}/x")).status == 200
    assert (await road.call("GET", f"{KEYED}/x", ("x-api-key", API_KEY))).status == 200
    assert (await road.call("GET", f"{THEIRS}/x", ("authorization", "Basic dGhlaXJz"))).status == 200
    public, keyed, passed = road.upstream.arrived
    assert public.values("x-client-id") == []
    assert (keyed.header("x-client-id"), keyed.values("x-user-id"), keyed.values("x-api-key")) == ("key:portal", [], [])
    assert passed.values("authorization") == ["Basic dGhlaXJz"]


async def test_a_backends_own_401_steers_nobody(road: Road) -> None:
    challenge = 'WWW-Authenticate: Bearer resource_metadata="http://169.254.169.254/"'
    road.upstream.says(answer(b"", challenge, status="401 Unauthorized"))
    heard = await road.call("GET", f"{JOBS}/jobs/7", bearer(road.stored.read))
    assert (heard.status, heard.values("www-authenticate")) == (401, [])
    assert (await road.call("GET", f"{THEIRS}/x")).values("www-authenticate")


# OPTIONS and HEAD


@pytest.mark.parametrize("target", [f"{JOBS}/jobs/7", "/api/v1/nothing", f"{JOBS}/%2e%2e"])
async def test_options_is_the_gateways_own(road: Road, target: str) -> None:
    heard = await road.call("OPTIONS", target, ("origin", "https://chatgpt.com"))
    assert (heard.status, heard.body) == (204, b"")
    assert heard.header("access-control-allow-origin") == "https://chatgpt.com"
    assert heard.header("x-request-id") == heard.request_id
    assert road.upstream.connections == 0


async def test_head_is_asked_as_head_and_answered_without_a_body(road: Road) -> None:
    road.upstream.says(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")
    heard = await road.call("HEAD", f"{JOBS}/jobs/7", bearer(road.stored.read))
    assert (heard.status, heard.header("content-length"), heard.body) == (200, "1234", b"")
    assert road.upstream.request.line.startswith("HEAD ")
    assert (await road.call("HEAD", f"{JOBS}/jobs", bearer(road.stored.write))).status == 405


# Streams


async def test_an_answer_passes_chunk_by_chunk(road: Road) -> None:
    more = asyncio.Event()

    async def slowly(wire: Wire) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"one"))
        await more.wait()
        await wire.write(chunk(b"two") + chunk(b""))

    road.upstream.says(slowly)
    exchange, running = road.begin("GET", f"{JOBS}/free", bearer(road.stored.read))
    await exchange.until(lambda heard: heard.body == b"one")
    assert not exchange.complete
    more.set()
    await running
    assert (exchange.body, exchange.complete) == (b"onetwo", True)


async def test_a_body_passes_inward_chunk_by_chunk(road: Road) -> None:
    large = b"a" * 200_000
    exchange, running = road.begin("POST", f"{JOBS}/jobs", bearer(road.stored.write), body=None)
    exchange.sends(large, more=True)
    exchange.sends(large)
    await running
    assert exchange.status == 200
    assert road.upstream.request.content == large + large


async def test_a_body_over_the_limit_is_refused_wherever_it_is_seen(road: Road) -> None:
    announced = await road.call(
        "POST", f"{JOBS}/jobs", bearer(road.stored.write), ("content-length", "1048577"), body=None
    )
    assert (announced.status, road.upstream.connections) == (413, 0)
    streamed = await road.call(
        "POST", f"{JOBS}/jobs", bearer(road.stored.write), body=(b"a" * 1_000_000, b"b" * 100_000)
    )
    assert (streamed.status, road.upstream.arrived) == (413, [])
    (intent, final) = await events(streamed.request_id)
    assert (intent.phase, final.decision, final.reason, final.status) == ("intent", "deny", "body_too_large", 413)


# Recorded before it is complete


async def last_bytes_wait(road: Road, exchange: Exchange, sent: bytes, before: bytes) -> None:
    """While the event is not durable, the client has no more than `before`."""
    await asyncio.sleep(0.1)
    assert (exchange.body, exchange.complete) == (before, False)
    assert await events(exchange.request_id) == []
    road.recorder.gate.set()
    await exchange.until(lambda heard: heard.complete)
    assert exchange.body == sent


@pytest.mark.parametrize(
    ("said", "sent", "before"),
    [
        (answer(b"all"), b"all", b""),
        (answer(b""), b"", b""),
        (chunked(b"one", b"two"), b"onetwo", b"onetwo"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", b""),
    ],
)
async def test_the_bytes_that_complete_an_answer_wait_for_its_event(
    road: Road,
    said: bytes,
    sent: bytes,
    before: bytes,
) -> None:
    road.upstream.says(said)
    road.recorder.gate.clear()
    exchange, running = road.begin("GET", f"{JOBS}/free", bearer(road.stored.read))
    await last_bytes_wait(road, exchange, sent, before)
    await running
    (event,) = await events(exchange.request_id)
    assert (event.decision, event.response_bytes) == ("allow", len(sent))


async def test_a_call_that_changes_something_is_intended_before_the_backend_hears_of_it(road: Road) -> None:
    known: list[str] = []

    async def look(wire: Wire) -> None:
        arrived = road.upstream.arrived[-1]
        known.extend(event.phase for event in await events(arrived.header("x-request-id")))
        await wire.write(answer(b"done"))

    road.upstream.says(look)
    heard = await road.call("POST", f"{JOBS}/jobs", bearer(road.stored.write), body=(b"{}",))
    assert (heard.status, known) == (200, ["intent"])
    assert [event.phase for event in await events(heard.request_id)] == ["intent", "final"]


async def test_what_cannot_be_recorded_is_not_done(road: Road) -> None:
    await asyncio.to_thread(road.recorder.stop)
    heard = await road.call("POST", f"{JOBS}/jobs", bearer(road.stored.write), body=(b"{}",))
    assert (heard.status, heard.json()["error"], heard.header("retry-after")) == (503, "audit_unavailable", "1")
    assert road.upstream.connections == 0


async def test_what_was_read_but_cannot_be_recorded_is_not_shown(road: Road) -> None:
    road.upstream.says(answer(b"ana's"))
    await asyncio.to_thread(road.recorder.stop)
    heard = await road.call("GET", f"{JOBS}/free", bearer(road.stored.read))
    assert (heard.status, heard.json()["error"]) == (503, "audit_unavailable")
    assert b"ana's" not in heard.body


async def test_an_answer_half_sent_that_cannot_be_recorded_is_broken_off(road: Road) -> None:
    road.upstream.says(chunked(b"one", b"two"))
    road.recorder.gate.clear()
    exchange, running = road.begin("GET", f"{JOBS}/free", bearer(road.stored.read))
    await exchange.until(lambda heard: heard.body == b"onetwo")
    await asyncio.to_thread(road.recorder.stop)
    road.recorder.gate.set()
    with pytest.raises(ConnectionBroken, match="audit_unavailable"):
        await running
    assert not exchange.complete


async def test_a_broken_call_that_cannot_be_recorded_is_still_broken(road: Road) -> None:
    road.upstream.says(once(of_length(HELD_MAX + 1, b"half")))
    await asyncio.to_thread(road.recorder.stop)
    exchange, running = road.begin("GET", f"{JOBS}/free", bearer(road.stored.read))
    with pytest.raises(ConnectionBroken, match="backend_body_broken"):
        await running
    assert (exchange.body, exchange.complete) == (b"half", False)


async def test_a_refusal_that_cannot_be_recorded_is_a_503(road: Road) -> None:
    await asyncio.to_thread(road.recorder.stop)
    heard = await road.call("GET", f"{JOBS}/nothing", bearer(road.stored.read))
    assert (heard.status, heard.json()["error"]) == (503, "audit_unavailable")
    assert road.upstream.connections == 0


# Ends that are not the end


async def test_a_backend_that_dies_before_its_answer_is_a_502(road: Road) -> None:
    road.upstream.says(once(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"))
    heard = await road.call("GET", f"{JOBS}/free", bearer(road.stored.read))
    assert (heard.status, heard.json()["error"]) == (502, "backend_protocol_error")
    (event,) = await events(heard.request_id)
    assert (event.decision, event.reason, event.status) == ("error", "backend_body_broken", 502)
    assert event.upstream_status == 200


@pytest.mark.parametrize(
    "said",
    [
        once(of_length(HELD_MAX + 1, b"half")),
        once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
    ],
)
async def test_a_backend_that_dies_in_its_answer_breaks_the_connection(road: Road, said: Step) -> None:
    road.upstream.says(said)
    exchange, running = road.begin("GET", f"{JOBS}/free", bearer(road.stored.read))
    # The server closes the connection of an application that raises after its head
    with pytest.raises(ConnectionBroken, match="backend_body_broken"):
        await running
    assert (exchange.body, exchange.complete) == (b"half", False)
    (event,) = await events(exchange.request_id)
    assert (event.decision, event.reason, event.response_bytes) == ("error", "backend_body_broken", 4)


async def test_a_silent_backend_is_a_504(road: Road) -> None:
    road.upstream.says(silence)
    heard = await road.call("GET", f"{NARROW}/x", bearer(road.stored.narrow))
    assert (heard.status, heard.json()["error"]) == (504, "backend_timeout")
    (event,) = await events(heard.request_id)
    assert (event.decision, event.reason) == ("error", "backend_timeout")


async def test_a_body_that_stalls_is_the_callers_fault_and_closes_no_backend(road: Road) -> None:
    for _caller in range(FAULTS + 1):
        exchange, running = road.begin("POST", f"{NARROW}/x", bearer(road.stored.narrow), body=None)
        exchange.sends(b"a" * 100_000, more=True)
        await asyncio.wait_for(running, 3)
        assert (exchange.status, exchange.json()["error"]) == (408, "request_timeout")
        assert [event.reason for event in await events(exchange.request_id)] == ["", "slow_body"]
    assert (await road.call("GET", f"{NARROW}/x", bearer(road.stored.narrow))).status == 200


async def test_a_full_backend_is_a_503_and_its_place_comes_back(road: Road) -> None:
    road.upstream.says(silence)
    _exchange, running = road.begin("GET", f"{NARROW}/x", bearer(road.stored.narrow))
    await road.upstream.heard()
    full = await road.call("GET", f"{NARROW}/x", bearer(road.stored.narrow))
    assert (full.status, full.json()["error"], full.header("retry-after")) == (503, "overloaded", "1")
    await running
    road.upstream.says(answer(b"free again"))
    assert (await road.call("GET", f"{NARROW}/x", bearer(road.stored.narrow))).body == b"free again"


async def test_a_client_that_leaves_during_the_answer_ends_the_call_at_the_backend(road: Road) -> None:
    async def endless(wire: Wire) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"one"))
        await wire.until_closed()

    road.upstream.says(endless)
    exchange, running = road.begin("GET", f"{JOBS}/free", bearer(road.stored.read))
    await exchange.until(lambda heard: heard.body == b"one")
    exchange.leaves()
    await asyncio.wait_for(road.upstream.closed.wait(), 1)
    await asyncio.wait_for(running, 1)
    (event,) = await events(exchange.request_id)
    assert (event.decision, event.reason, event.upstream_status, event.response_bytes) == (
        "error",
        "client_gone",
        200,
        3,
    )


async def test_a_client_that_leaves_before_the_answer_ends_the_call_at_the_backend(road: Road) -> None:
    road.upstream.says(silence)
    exchange, running = road.begin("POST", f"{JOBS}/jobs", bearer(road.stored.write), body=(b"{}",))
    await road.upstream.heard()
    exchange.leaves()
    await asyncio.wait_for(road.upstream.closed.wait(), 1)
    await asyncio.wait_for(running, 1)
    assert exchange.status == 0
    intent, final = await events(exchange.request_id)
    assert (intent.phase, final.reason, final.upstream_status) == ("intent", "client_gone", None)


async def test_a_client_that_leaves_in_its_own_body_is_recorded(road: Road) -> None:
    exchange, running = road.begin("POST", f"{JOBS}/jobs", bearer(road.stored.write), body=None)
    exchange.sends(b"a" * 100_000, more=True)
    exchange.leaves()
    await asyncio.wait_for(running, 2)
    _intent, final = await events(exchange.request_id)
    assert (final.decision, final.reason) == ("error", "client_gone")
    assert road.upstream.arrived == []


async def test_a_call_that_is_cut_by_the_end_of_the_process_is_recorded(road: Road) -> None:
    road.upstream.says(silence)
    exchange, running = road.begin("GET", f"{JOBS}/free", bearer(road.stored.read))
    await road.upstream.heard()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (event,) = await events(exchange.request_id)
    assert (event.decision, event.reason) == ("error", "shutdown")


async def test_a_fault_of_ours_is_a_500_that_says_nothing(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("a private detail")

    monkeypatch.setattr("proxy.pipeline.run.transform", broken)
    heard = await road.call("GET", f"{JOBS}/free", bearer(road.stored.read))
    assert (heard.status, heard.json()["error"]) == (500, "server_error")
    assert b"private" not in heard.body
    (event,) = await events(heard.request_id)
    assert (event.decision, event.reason) == ("error", "crash")
    assert road.upstream.arrived == []
