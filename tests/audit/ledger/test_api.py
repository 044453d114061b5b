"""The audit log over the management API: every filter, page by page, and nobody's name in the ledger itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from audit.ledger.events import utc_now
from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.record import record
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.models import Identity
from tests.management_api import Api, errors_of

EVENTS = "audit/events/"


@pytest.fixture
def ana(db: None) -> User:
    """A person."""
    del db
    user = User.objects.create_user("ana", email="ana@example.com")
    Identity.objects.create(user=user, external_id="user_2abc")
    return user


def call(user: User | None = None, **changes: Any) -> None:
    """A decided call."""
    facts: dict[str, Any] = {
        "user": user_ref(user) if user else None, "client_id": "c1", "backend": "jobs", "operation": "search-jobs",
        "connection": "f1", "method": "GET", "path": "/api/v1/jobs/search", "status": 200, "latency_us": 1500,
        "request_id": "r1",
    }  # fmt: skip
    record(kind=Kind.PROXY_CALL_DECIDED, **(facts | changes))


def found(api: Api, **query: Any) -> list[dict[str, Any]]:
    """The events that match."""
    answer = api.get(EVENTS, **query)
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["results"]
    return rows


def test_a_call_is_one_event_with_the_documented_fields(api: Api, ana: User) -> None:
    call(ana, phase=Phase.INTENT, method="POST", status=None, latency_us=None)
    assert [row["phase"] for row in found(api, kind="call")] == ["intent"]
    call(ana, method="POST", upstream_status=200, request_bytes=10, response_bytes=20)
    (event,) = found(api, kind="call")
    expected = {
        "kind": "proxy:call:decided", "phase": "final", "request_id": "r1", "user": "user_2abc",
        "user_email": "ana@example.com", "client_id": "c1", "backend": "jobs", "operation": "search-jobs",
        "method": "POST", "path": "/api/v1/jobs/search", "decision": "allow", "reason": "", "status": 200,
        "upstream_status": 200, "latency_ms": 1.5, "request_bytes": 10, "response_bytes": 20,
    }  # fmt: skip
    assert {name: event[name] for name in expected} == expected
    assert api.get(f"{EVENTS}{event['id']}/").json() == event


@pytest.mark.parametrize(
    ("query", "other"),
    [
        ({"user": "user_2abc"}, {}),
        ({"user": "ana@example.com"}, {}),
        ({"client": "c2"}, {"client_id": "c2"}),
        ({"connection": "f2"}, {"connection": "f2"}),
        ({"backend": "b2"}, {"backend": "b2"}),
        ({"operation": "o2"}, {"operation": "o2"}),
        ({"decision": "deny"}, {"decision": Decision.DENY}),
        ({"reason": "rate_limited"}, {"reason": "rate_limited"}),
        ({"request_id": "r2"}, {"request_id": "r2"}),
        ({"kind": "proxy:call:decided", "request_id": "r2"}, {"request_id": "r2"}),
    ],
)
def test_every_filter_narrows(api: Api, ana: User, query: dict[str, str], other: dict[str, Any]) -> None:
    call()
    call(ana if "user" in query else None, **other)
    rows = found(api, **query)
    assert len(rows) == 1
    assert all(rows[0][name] == value for name, value in other.items())


def test_time_has_two_ends(api: Api) -> None:
    call()
    now = utc_now()
    before, after = (now - timedelta(minutes=1)).isoformat(), (now + timedelta(minutes=1)).isoformat()
    assert len(found(api, since=before, until=after)) == 1
    assert not found(api, since=after)
    assert not found(api, until=before)
    assert len(api.get(f"{EVENTS}?since={before}").json()["results"]) == 1, "a plus nobody encoded"


@pytest.mark.parametrize(
    ("name", "value"),
    [("kind", "none"), ("decision", "maybe"), ("since", "soon"), ("until", "0001-01-01T00:00+14:00"), ("cursor", "x"),
     ("who", "ana")],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_refused(api: Api, name: str, value: str) -> None:
    assert name in errors_of(api.get(EVENTS, **{name: value}))


def test_pages_are_newest_first_without_a_gap_and_uncounted(api: Api) -> None:
    for number in range(7):
        call(request_id=f"r{number}")
    newest = [row["request_id"] for row in found(api)]
    seen, address = [], f"{EVENTS}?limit=3"
    while address:
        page = api.get(address).json()
        assert page["count"] is None
        seen += [row["request_id"] for row in page["results"]]
        address = page["next"]
    assert seen == newest == [f"r{number}" for number in reversed(range(7))]


def test_a_page_costs_the_same_however_many_people_it_names(
    api: Api, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        call(User.objects.create_user(f"u{number}", email=f"u{number}@example.com"))
    with django_assert_num_queries(5):
        assert len({row["user_email"] for row in found(api)}) == 10


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_nothing_is_written(api: Api, method: str) -> None:
    assert api.http.generic(method, f"/api/manage/v1/{EVENTS}").status_code == 405
