"""What the ledger keeps of a call: enough to know who did what, nothing of what was said."""

import hashlib
from dataclasses import asdict
from typing import Any

import pytest
from django.conf import settings

from audit.ledger.models import Event
from tests.proxy.plane import Road
from tests.proxy.raw_backend import answer
from tests.proxy.world import API_KEY, JOBS, KEYED, OPEN, THEIRS, bearer, events, subject_of


async def final(road: Road, method: str, target: str, *headers: tuple[str, str], **changes: Any) -> Event:
    """The final event of a call."""
    heard = await road.call(method, target, *headers, **changes)
    found = await events(heard.request_id)
    assert [event.phase for event in found].count("final") == 1
    assert found[-1].phase == "final"
    return found[-1]


async def test_a_carried_call_is_told_in_full(road: Road) -> None:
    road.upstream.says(answer(b"hello", status="201 Created"))
    event = await final(road, "POST", f"{JOBS}/jobs", bearer(road.stored.write), body=(b"{}",))
    assert (event.kind, event.decision, event.reason) == ("proxy:call:decided", "allow", "")
    assert (event.method, event.status, event.upstream_status) == ("POST", 201, 201)
    assert (event.backend, event.operation, event.path) == ("jobs", "jobs-1", f"{JOBS}/jobs")
    assert (event.client_id, event.subject) == (road.stored.client_id, await subject_of("user_2abc"))
    assert (event.scopes, event.scopes_required) == ("jobs:read jobs:write", "jobs:write")
    assert event.audience == f"{settings.PUBLIC_BASE_URL}{JOBS}"
    assert event.token == hashlib.sha256(road.stored.write.encode()).hexdigest()[:16]
    assert len(event.connection) == 36
    assert event.address == "203.0.113.0/24"
    assert (event.request_bytes, event.response_bytes) == (2, 5)
    assert event.latency_us is not None
    assert event.upstream_latency_us is not None
    assert 0 < event.upstream_latency_us <= event.latency_us < 5_000_000


async def test_an_intent_says_what_is_about_to_happen(road: Road) -> None:
    sent = [bearer(road.stored.write), ("content-length", "2")]
    heard = await road.call("POST", f"{JOBS}/jobs", *sent, body=(b"{}",))
    intent, _final = await events(heard.request_id)
    assert (intent.phase, intent.decision, intent.operation, intent.method) == ("intent", "allow", "jobs-1", "POST")
    assert (intent.request_bytes, intent.status, intent.latency_us, intent.response_bytes) == (2, None, None, None)
    assert intent.subject == await subject_of("user_2abc")


@pytest.mark.parametrize(("method", "intents"), [("GET", 0), ("HEAD", 0), ("POST", 1)])
async def test_only_what_may_change_something_is_intended(road: Road, method: str, intents: int) -> None:
    heard = await road.call(method, f"{OPEN}/x")
    assert [event.phase for event in await events(heard.request_id)].count("intent") == intents


async def test_a_refused_call_names_what_was_wanted_and_who_wanted_it(road: Road) -> None:
    event = await final(road, "POST", f"{JOBS}/jobs", bearer(road.stored.read))
    assert (event.decision, event.reason, event.status) == ("deny", "insufficient_scope", 403)
    assert (event.operation, event.scopes, event.scopes_required) == ("jobs-1", "jobs:read", "jobs:write")
    assert event.subject == await subject_of("user_2abc")
    assert (event.upstream_status, event.response_bytes) == (None, 0)


async def test_a_stranger_is_nobody(road: Road) -> None:
    event = await final(road, "GET", f"{JOBS}/jobs/7", bearer("gh_at_nobody"))
    assert (event.decision, event.reason, event.backend, event.operation) == ("deny", "unknown", "jobs", "jobs-0")
    assert (event.subject, event.client_id, event.token, event.connection) == ("", "", "", "")


async def test_nothing_registered_there_names_no_backend(road: Road) -> None:
    event = await final(road, "GET", "/api/v1/nothing/7", bearer(road.stored.read))
    assert (event.reason, event.backend, event.path, event.operation) == ("no_backend", "", "", "")


@pytest.mark.parametrize(
    ("target", "headers", "client_id"),
    [
        (f"{KEYED}/x", [("x-api-key", API_KEY)], "key:portal"),
        (f"{OPEN}/x", [], ""),
        (f"{THEIRS}/x", [("authorization", "Bearer theirs")], ""),
    ],
)
async def test_callers_without_a_person_have_no_subject(
    road: Road, target: str, headers: list[tuple[str, str]], client_id: str
) -> None:
    event = await final(road, "GET", target, *headers)
    assert (event.decision, event.subject, event.client_id) == ("allow", "", client_id)


async def test_neither_values_nor_credentials_are_kept(road: Road) -> None:
    road.upstream.says(answer(b"answer-value"))
    secret = "path-value-7"
    for target, headers in (
        (f"{JOBS}/jobs/{secret}?q=query-value&access=1", [bearer(road.stored.write), ("x-note", "header-value")]),
        (f"{KEYED}/{secret}", [("x-api-key", API_KEY), ("cookie", "session=header-value")]),
        (f"{JOBS}/{secret}%2f?access_token=query-value", [bearer(road.stored.write)]),
        (f"{JOBS}/{secret}", [bearer("gh_at_header-value")]),
    ):
        heard = await road.call("GET", target, *headers)
        for event in await events(heard.request_id):
            kept = " ".join(str(value) for value in event.__dict__.values())
            for value in (secret, "query-value", "header-value", "answer-value", road.stored.write, API_KEY):
                assert value not in kept
    assert road.stored.write not in str(asdict(road.stored)["read"])


async def test_a_silent_body_is_counted_by_what_came(road: Road) -> None:
    event = await final(road, "POST", f"{JOBS}/jobs", bearer(road.stored.write), body=(b"a" * 100_000, b"b" * 100_000))
    assert event.request_bytes == 200_000
