"""The ledger is read by an index, page by page, and never counted."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.ledger.events import Draft, UserRef
from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.models import Event
from audit.ledger.queries import activity, before_cursor, clients_last_used, cursor_of, last_used, search
from audit.ledger.recorder import Recorder
from audit.ledger.rows import insert, resolve, row_of, users_of

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
CONNECTION = "0190c0de-0000-7000-8000-000000000001"


def add(**fields: Any) -> Event:
    defaults: dict[str, Any] = {"kind": Kind.PROXY_CALL_DECIDED, "connection": CONNECTION, "timestamp": NOON}
    draft = Draft(**(defaults | fields))
    insert(connection, [row_of(draft, resolve("default", users_of([draft])))])
    return Event.objects.get(pk=draft.id)


def at(minute: int, **fields: Any) -> Event:
    return add(timestamp=NOON + timedelta(minutes=minute), **fields)


@pytest.mark.django_db
def test_pages_follow_each_other_without_gap_or_repetition_even_at_one_moment() -> None:
    events = [add() for _ in range(7)] + [at(1), at(-1)]
    expected = sorted(events, key=lambda event: (event.timestamp, event.pk), reverse=True)
    seen: list[Event] = []
    cursor = ""
    for _ in range(5):
        page = activity(CONNECTION, 2, cursor)
        seen += page.events
        cursor = page.older
    assert seen == expected
    assert cursor == ""


@pytest.mark.django_db
def test_what_happens_meanwhile_does_not_shift_a_page() -> None:
    first, second, third = at(1), at(2), at(3)
    page = activity(CONNECTION, 1)
    assert page.events == (third,)
    at(4)
    assert activity(CONNECTION, 2, page.older).events == (second, first)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "cursor", ["x", "1", ".", "-1.00", "1.zz", "9" * 40 + "." + "0" * 32, "\u0661." + "0" * 32, "1.\x00", "1.1.1"]
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        activity(CONNECTION, 2, cursor)


@pytest.mark.django_db
def test_a_connection_shows_its_own_events_only() -> None:
    add(connection="0190c0de-0000-7000-8000-000000000002")
    add(connection="")
    assert activity(CONNECTION).events == ()


@pytest.mark.django_db
def test_an_intent_shows_while_nothing_is_known_of_its_end() -> None:
    ended = at(1, phase=Phase.INTENT, request_id="r-1"), at(2, request_id="r-1")
    open_end = at(3, phase=Phase.INTENT, request_id="r-2")
    assert activity(CONNECTION).events == (open_end, ended[1])


FOUND: dict[str, dict[str, Any]] = {
    "client": {"client_id": "c-1"},
    "connection": {"connection": CONNECTION},
    "operation": {"operation": "searchJobs"},
    "decision": {"decision": Decision.DENY},
    "kind": {"kind": Kind.OAUTH_TOKEN_ISSUED},
    "request": {"request_id": "r-1"},
}


@pytest.mark.django_db
@pytest.mark.parametrize("fields", FOUND.values(), ids=FOUND.keys())
def test_search_narrows_by(fields: dict[str, Any]) -> None:
    add(connection="", client_id="c-2", operation="other", request_id="r-2")
    wanted = add(**({"connection": ""} | fields))
    assert list(search(**fields)) == [wanted]


@pytest.mark.django_db
def test_search_narrows_by_people_and_time_and_by_all_of_it_together() -> None:
    ana = UserRef(1, "user_2abc")
    early, wanted = at(0, user=ana), at(1, user=ana)
    at(1)
    at(2, user=ana)
    since, until = NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)
    assert list(search(subjects=[wanted.subject], since=since, until=until)) == [wanted]
    assert list(before_cursor(search(subjects=[wanted.subject]), cursor_of(wanted))) == [early]
    assert list(search(subjects=[])) == []


@pytest.mark.django_db
def test_last_use_is_the_last_call_allowed_or_not() -> None:
    at(1, client_id="c-1")
    at(2, client_id="c-1", decision=Decision.DENY)
    at(3, client_id="c-1", kind=Kind.OAUTH_TOKEN_REFRESHED)
    moment = NOON + timedelta(minutes=2)
    assert last_used([CONNECTION, "never"]) == {CONNECTION: moment}
    assert clients_last_used(["c-1", "never"]) == {"c-1": moment}


INDEXES: dict[str, Callable[[], object]] = {
    "event_connection": lambda: activity(CONNECTION, 2, f"{10**15}.{'0' * 32}"),
    "event_subject": lambda: list(search(subjects=["s"])[:50]),
    "event_client": lambda: list(search(client_id="c")[:50]),
    "event_operation": lambda: list(search(operation="o")[:50]),
    "event_decision": lambda: list(search(decision=Decision.DENY)[:50]),
    "event_request": lambda: list(search(request_id="r")[:50]),
    "event_time": lambda: list(before_cursor(search(), f"{10**15}.{'0' * 32}")[:50]),
}


@pytest.mark.django_db
@pytest.mark.parametrize("index", INDEXES)
def test_a_page_is_read_from_its_index_and_nothing_is_counted(index: str, only_indexes: None) -> None:
    del only_indexes
    with CaptureQueriesContext(connection) as captured:
        INDEXES[index]()
    sql = captured[0]["sql"]
    assert "COUNT(" not in sql.upper()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}")
        plan = str(cursor.fetchall())
    assert index in plan
    # One request has a handful of events: those may be sorted
    assert index == "event_request" or not any(sorting in plan for sorting in ("TEMP B-TREE", "Sort Key"))


@pytest.fixture
def only_indexes(db: None) -> None:
    """PostgreSQL would read a table of no rows whole."""
    del db
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
def test_what_the_recorder_wrote_through_its_alias_is_read_through_either(audit_alias: str) -> None:
    recorder = Recorder()
    recorder.start()
    draft = Draft(kind=Kind.PROXY_CALL_DECIDED, connection=CONNECTION)
    asyncio.run(recorder.record(draft, 20))
    recorder.stop()
    assert [event.pk for event in activity(CONNECTION).events] == [draft.id]
    assert Event.objects.using(audit_alias).get().pk == draft.id
