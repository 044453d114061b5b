"""The same Idempotency-Key: one effect, one answer for everybody, and words where nobody can know."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from proxy.asgi import DataPlane
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_operation
from proxy.idempotency.answers import ANSWER_MAX
from proxy.idempotency.models import KeptCall, State
from proxy.pipeline import once
from tests.proxy.asgi_client import Exchange, begin, call
from tests.proxy.committed import committed, db
from tests.proxy.plane import GatedRecorder, Road, plane, recorder, road, upstream
from tests.proxy.raw_backend import Wire, answer, chunked, silence
from tests.proxy.raw_backend import once as then_closed
from tests.proxy.world import JOBS, Stored, bearer, events, store

__all__ = ["committed", "db", "plane", "recorder", "road", "upstream"]

APPLY = f"{JOBS}/applications"
BODY = b'{"job": 7}'
CREATED = answer(b'{"id": 1}', "Content-Type: application/json", "X-Note: kept", status="201 Created")
WAIT_S = 3
# Half of those that a backend has unless staff say otherwise
PLACES_OF_ONE = 32


@pytest.fixture(scope="module")
def stored(committed: None) -> Stored:
    """The usual catalogue with an operation whose calls may be repeated, and one with little time."""
    del committed
    stored = store()
    for name, path in (("jobs", "/applications"), ("narrow", "/applications")):
        operation = Operation(
            backend=Backend.objects.get(name=name), operation_id=f"apply-{name}", methods=["POST"], path=path,
            scopes=["jobs:write"], idempotent=True,
        )  # fmt: skip
        save_operation(operation=operation, actor=None)
    return stored


@pytest.fixture(autouse=True)
def key(request: pytest.FixtureRequest) -> str:
    """A key that no other test uses."""
    return f"key of {request.node.name}"[:200]


async def apply(road: Road, key: str, *headers: tuple[str, str], body: bytes = BODY, **changes: Any) -> Exchange:
    """Apply once."""
    target = changes.pop("target", APPLY)
    token = changes.pop("token", road.stored.write)
    sent = (bearer(token), ("idempotency-key", key), ("content-length", str(len(body))), *headers)
    return await road.call("POST", target, *sent, body=(body,), **changes)


async def stored_row(**lookups: Any) -> KeptCall | None:
    """The newest row."""

    def find() -> KeptCall | None:
        try:
            return KeptCall.objects.filter(**lookups).order_by("-expires_at").first()
        finally:
            connections.close_all()

    return await asyncio.to_thread(find)


async def changed_row(**changes: Any) -> None:
    """Change the newest row."""
    row = await stored_row()
    assert row is not None

    def change() -> None:
        KeptCall.objects.filter(pk=row.pk).update(**changes)
        connections.close_all()

    await asyncio.to_thread(change)


async def test_fifty_at_once_are_one_effect_and_one_answer(road: Road, key: str) -> None:
    road.upstream.says(slow_answer(0.3))
    heard = await asyncio.gather(*(apply(road, key) for _call in range(50)))
    assert {(each.status, each.body, each.header("x-note")) for each in heard} == {(201, b'{"id": 1}', "kept")}
    assert len(road.upstream.arrived) == 1
    assert road.upstream.request.header("idempotency-key") == key
    assert len({each.request_id for each in heard}) == 50
    told = [(await events(each.request_id))[-1] for each in heard]
    assert sorted(event.reason for event in told) == [""] + ["idempotent_replay"] * 49
    assert {event.decision for event in told} == {"allow"}
    assert {event.upstream_status for event in told if event.reason} == {None}


async def test_later_the_same_answer_without_asking_the_backend(road: Road, key: str) -> None:
    road.upstream.says(CREATED, answer(b"another"))
    first, second = await apply(road, key), await apply(road, key)
    assert (second.status, second.body) == (first.status, first.body) == (201, b'{"id": 1}')
    mine = {"x-request-id", "ratelimit", "ratelimit-policy"}
    assert [pair for pair in first.headers if pair[0] not in mine] == [
        pair for pair in second.headers if pair[0] not in mine
    ]
    assert second.values("ratelimit") != first.values("ratelimit")
    assert len(road.upstream.arrived) == 1


async def test_what_is_kept_is_sealed(road: Road, key: str) -> None:
    road.upstream.says(answer(b"ana's secret answer"))
    await apply(road, key)
    row = await stored_row(state=State.DONE)
    assert row is not None
    assert "ana" not in row.answer
    assert key not in f"{row.pk}{row.request}{row.answer}"


async def test_another_worker_knows_it_too(road: Road, key: str) -> None:
    road.upstream.says(CREATED)
    await apply(road, key)
    other = DataPlane(recorder=GatedRecorder())
    await other.start()
    sent = (bearer(road.stored.write), ("idempotency-key", key), ("content-length", str(len(BODY))))
    heard = await call(other, "POST", APPLY, *sent, body=(BODY,))
    assert (heard.status, heard.body, len(road.upstream.arrived)) == (201, b'{"id": 1}', 1)
    await other.stop()


@pytest.mark.parametrize(
    "change", [{"body": b'{"job": 8}'}, {"target": f"{APPLY}?again=1"}, {"body": b""}, {"body": BODY + b" "}]
)
async def test_the_same_key_for_another_request_is_refused(road: Road, key: str, change: dict[str, Any]) -> None:
    road.upstream.says(CREATED)
    await apply(road, key)
    heard = await apply(road, key, **change)
    assert (heard.status, heard.json()["error"]) == (422, "idempotency_key_reused")
    assert len(road.upstream.arrived) == 1


async def test_somebody_elses_key_is_another_key(road: Road, key: str) -> None:
    road.upstream.says(CREATED, answer(b"theirs"))
    await apply(road, key)
    theirs = await apply(road, key, target="/api/v1/narrow/applications", token=road.stored.narrow)
    assert (theirs.status, theirs.body) == (200, b"theirs")


async def test_a_larger_body_than_can_be_compared_is_refused(road: Road, key: str) -> None:
    heard = await apply(road, key, body=b"x" * (once.BODY_MAX + 1))
    assert (heard.status, road.upstream.arrived) == (413, [])


async def test_a_body_in_many_pieces_is_one_request(road: Road, key: str) -> None:
    road.upstream.says(CREATED)
    large = b"y" * 300_000
    first = await apply(road, key, body=large)
    pieces = (bearer(road.stored.write), ("idempotency-key", key))
    second = await road.call("POST", APPLY, *pieces, body=(large[:70_000], large[70_000:]))
    assert (first.status, second.status, len(road.upstream.arrived)) == (201, 201, 1)
    assert road.upstream.request.content == large


# What is not kept


async def test_a_large_answer_reaches_its_caller_and_is_not_kept(road: Road, key: str) -> None:
    large = b"z" * (2 * ANSWER_MAX)
    road.upstream.says(answer(large))
    first, second = await apply(road, key), await apply(road, key)
    assert (first.status, first.body == large) == (200, True)
    assert (second.status, second.json()["error"]) == (409, "idempotency_answer_not_kept")
    assert len(road.upstream.arrived) == 1


async def test_a_stream_reaches_its_caller_and_is_not_kept(road: Road, key: str) -> None:
    road.upstream.says(chunked(b"data: 1\n\n", b"data: 2\n\n", headers=("Content-Type: text/event-stream",)))
    first, second = await apply(road, key), await apply(road, key)
    assert first.body == b"data: 1\n\ndata: 2\n\n"
    assert (second.status, len(road.upstream.arrived)) == (409, 1)


@pytest.mark.parametrize("status", ["503 Service Unavailable", "429 Too Many Requests"])
async def test_a_backend_that_did_nothing_is_asked_again(road: Road, key: str, status: str) -> None:
    busy = answer(b"busy", "Retry-After: 9", status=status)
    road.upstream.says(busy, CREATED)
    first, second = await apply(road, key), await apply(road, key)
    assert (first.status, first.header("retry-after"), second.status) == (int(status[:3]), "9", 201)


async def test_a_call_that_was_never_sent_leaves_the_key_free(road: Road, key: str) -> None:
    road.recorder.stop()
    refused = await apply(road, key)
    assert (refused.status, refused.json()["error"]) == (503, "audit_unavailable")
    road.recorder.start()
    road.upstream.says(CREATED)
    assert (await apply(road, key)).status == 201


async def test_a_call_too_many_of_one_person_leaves_its_key_free(road: Road, key: str) -> None:
    road.upstream.says(silence)
    begun = [road.begin("GET", f"{JOBS}/jobs/7", bearer(road.stored.write)) for _call in range(PLACES_OF_ONE)]
    while len(road.upstream.arrived) < PLACES_OF_ONE:
        await road.upstream.heard()
    refused = await apply(road, key)
    assert (refused.status, refused.json()["error"], refused.header("retry-after")) == (429, "too_many_calls", "1")
    assert {"retry_after", "resets_at"} <= refused.json().keys()
    for exchange, running in begun:
        exchange.leaves()
        await running
    road.upstream.says(CREATED)
    assert (await apply(road, key)).status == 201


async def test_an_answer_that_never_came_is_unknown_and_not_tried_again(road: Road, key: str) -> None:
    road.upstream.says(then_closed(b""))
    first = await apply(road, key)
    # The gateway repeats it once with the same key: staff said that this does no harm
    assert (first.status, len(road.upstream.arrived)) == (502, 2)
    assert {arrived.header("idempotency-key") for arrived in road.upstream.arrived} == {key}
    second = await apply(road, key)
    assert (second.status, second.json()["error"]) == (409, "idempotency_outcome_unknown")
    assert len(road.upstream.arrived) == 2


async def test_a_holder_that_died_leaves_an_unknown_outcome(road: Road, key: str) -> None:
    road.upstream.says(CREATED)
    await apply(road, key)
    await changed_row(state=State.HELD, answer="", holder="of a process that died", held_until=timezone.now())
    heard = await apply(road, key)
    assert (heard.status, heard.json()["error"]) == (409, "idempotency_outcome_unknown")
    assert len(road.upstream.arrived) == 1


async def test_a_holder_elsewhere_is_waited_for_no_longer_than_the_call_may_take(road: Road, key: str) -> None:
    narrow: dict[str, Any] = {"target": "/api/v1/narrow/applications", "token": road.stored.narrow}
    road.upstream.says(CREATED)
    await apply(road, key, **narrow)
    await changed_row(state=State.HELD, answer="", holder="another", held_until=timezone.now() + timedelta(minutes=1))
    began = asyncio.get_running_loop().time()
    heard = await apply(road, key, **narrow)
    assert (heard.status, heard.json()["error"]) == (409, "idempotency_in_progress")
    assert heard.header("retry-after") == "1"
    assert asyncio.get_running_loop().time() - began < WAIT_S


async def test_a_caller_who_left_finds_the_answer_when_they_come_back(road: Road, key: str) -> None:
    go = asyncio.Event()

    async def late(wire: Wire) -> None:
        await go.wait()
        await wire.write(CREATED)

    road.upstream.says(late)
    sent = (bearer(road.stored.write), ("idempotency-key", key), ("content-length", str(len(BODY))))
    exchange, running = begin(road.plane, "POST", APPLY, *sent, body=(BODY,))
    await road.upstream.heard()
    exchange.leaves()
    await asyncio.wait_for(running, WAIT_S)
    (intent, final) = await events(exchange.request_id)
    assert (intent.phase, final.reason) == ("intent", "client_gone")
    go.set()
    again = await apply(road, key)
    assert (again.status, again.body, len(road.upstream.arrived)) == (201, b'{"id": 1}', 1)


async def test_after_a_day_a_key_is_new(road: Road, key: str) -> None:
    road.upstream.says(CREATED, answer(b"the next day"))
    await apply(road, key)
    await changed_row(expires_at=timezone.now())
    assert (await apply(road, key)).body == b"the next day"
    await changed_row(expires_at=timezone.now())

    def clean() -> None:
        call_command("cleanup_kept_calls", "--json")
        connections.close_all()

    before = await stored_row(expires_at__lte=timezone.now())
    assert before is not None
    await asyncio.to_thread(clean)
    assert await stored_row(pk=before.pk) is None


# Keys that the gateway does not heed


async def test_where_staff_did_not_say_so_a_key_only_travels(road: Road, key: str) -> None:
    road.upstream.says(CREATED)
    for _call in range(2):
        heard = await apply(road, key, target=f"{JOBS}/jobs")
        assert heard.status == 201
    assert [arrived.header("idempotency-key") for arrived in road.upstream.arrived] == [key, key]


async def test_a_call_that_may_change_something_always_has_a_key(road: Road) -> None:
    heard = await road.call("POST", APPLY, bearer(road.stored.write), body=(BODY,))
    assert road.upstream.request.header("idempotency-key") == heard.request_id
    await road.call("GET", f"{JOBS}/jobs/7", bearer(road.stored.read))
    assert road.upstream.arrived[-1].values("idempotency-key") == []


@pytest.mark.parametrize("bad", [[""], [" "], ["k" * 256], ["one", "two"]])
async def test_a_key_that_is_none_is_refused(road: Road, bad: list[str]) -> None:
    keys = [("idempotency-key", each) for each in bad]
    heard = await road.call("POST", APPLY, bearer(road.stored.write), *keys, body=(BODY,))
    assert (heard.status, road.upstream.arrived) == (400, [])


def slow_answer(wait_s: float) -> Any:
    """A step that takes its time."""

    async def step(wire: Wire) -> None:
        await asyncio.sleep(wait_s)
        await wire.write(CREATED)

    return step
