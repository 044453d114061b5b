"""The audit log in the admin: found by what one knows, page by page, never changed."""

import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.ledger.kinds import Decision, Kind
from audit.ledger.models import Event
from audit.ledger.record import record
from audit.ledger.words import DECISIONS, KINDS
from oauth_provider.clients.models import Client
from oauth_provider.identities.external_id import user_ref
from tests.staff_browser import StaffBrowser, make_staff

LIST = "/admin/audit/event/"
CONNECTION = "0b0e7c3a-52a1-4c0e-9d5a-6f1f3b8f2c11"


@pytest.fixture
def called(db: None) -> Event:
    """Ana's GPT was refused, and staff added something."""
    del db
    ana = User.objects.create_user("ana", email="ana@example.org")
    Client.objects.create(name="Career Copilot", client_id="gpt123")
    record(kind=Kind.ADMIN_OBJECT_ADDED, actor=user_ref(User.objects.create_user("olga")), target="scope:jobs:read")
    record(kind=Kind.OAUTH_TOKEN_ISSUED, user=user_ref(ana), client_id="gpt123", request_id="req-1")
    identifier = record(
        kind=Kind.PROXY_CALL_DECIDED,
        user=user_ref(ana),
        client_id="gpt123",
        backend="careers",
        operation="apply",
        decision=Decision.DENY,
        reason="insufficient_scope",
        status=403,
        request_id="req-1",
        connection=CONNECTION,
    )
    return Event.objects.get(pk=identifier)


def found(staff: StaffBrowser, **query: str) -> list[str]:
    """Ids of the events listed."""
    return re.findall(rf'href="{LIST}([0-9a-f-]+)/change/', staff.text(LIST, **query))


@pytest.mark.parametrize(
    "text",
    [
        "ana",
        "ana@example.org",
        "Career Copilot",
        "gpt123",
        "apply",
        "careers",
        "insufficient_scope",
        "req-1",
        CONNECTION,
        "user:ana",
        'client:"Career Copilot"',
        "client:gpt123",
        "operation:apply",
        "backend:careers",
        "decision:deny",
        "status:403",
        "kind:proxy:call:decided",
        "reason:insufficient_scope",
        f"connection:{CONNECTION}",
        "request:req-1",
        "user:ana decision:deny",
        "since:2020-01-01",
        "ana since:2020-01-01 until:2100-01-01T00:00",
    ],
)
def test_event_is_found_by_what_one_knows(staff: StaffBrowser, called: Event, text: str) -> None:
    assert str(called.pk) in found(staff, q=text)


@pytest.mark.parametrize(
    "text",
    [
        "bruno",
        "user:bruno",
        "ana decision:allow",
        "status:200",
        "until:2020-01-01",
        "staff:ana",
        "nobody",
        "x:y",
        '""zzz',
    ],
)
def test_event_is_not_found_by_anything_else(staff: StaffBrowser, called: Event, text: str) -> None:
    assert str(called.pk) not in found(staff, q=text)


def test_what_staff_did_is_found_by_who_did_it(staff: StaffBrowser, called: Event) -> None:
    assert len(found(staff, q="staff:olga")) == 1
    assert len(found(staff, q="scope:jobs:read")) == 1


@pytest.mark.parametrize(
    "text", ["since:yesterday", "decision:maybe", "status:x", "status:²", "kind:none", "since:0000-00-00"]
)
def test_what_cannot_be_understood_is_said(staff: StaffBrowser, called: Event, text: str) -> None:
    page = staff.open(LIST, q=text)
    assert page.status_code == 200
    assert [str(message) for message in page.context["messages"]]
    assert not found(staff, q=text)


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ({"decision": "deny"}, True),
        ({"decision": "allow"}, False),
        ({"kind": "proxy:call:decided"}, True),
        ({"kind": "system:process:started"}, False),
        ({"period": "1h"}, True),
        ({"decision": "nonsense"}, True),
    ],
)
def test_list_is_narrowed(staff: StaffBrowser, called: Event, query: dict[str, str], is_found: bool) -> None:
    assert (str(called.pk) in found(staff, **query)) is is_found


def test_rows_have_words_and_slugs(staff: StaffBrowser, called: Event) -> None:
    table = staff.text(LIST).partition('id="result_list"')[2]
    for expected in ("Career Copilot", "careers apply", "proxy:call:decided", "Refused", "Token issued"):
        assert expected in table


def test_every_kind_and_decision_has_words() -> None:
    assert set(KINDS) == set(Kind)
    assert set(DECISIONS) == set(Decision)


def test_pages_follow_each_other_without_a_gap(staff: StaffBrowser, db: None) -> None:
    del db
    for _number in range(120):
        record(kind=Kind.SYSTEM_TOKENS_CLEANED)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"kind": Kind.SYSTEM_TOKENS_CLEANED.value} | ({"before": cursor} if cursor else {})
        page = staff.open(LIST, **query)
        seen += [str(event.pk) for event in page.context["cl"].result_list]
        cursor = page.context["cl"].older or None
    assert len(seen) == len(set(seen)) == 120
    assert seen == sorted(seen, reverse=True)


def test_nothing_is_counted_and_the_number_of_statements_is_fixed(staff: StaffBrowser, called: Event) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        staff.text(LIST)
    for _number in range(60):
        record(kind=Kind.SYSTEM_TOKENS_CLEANED)
    with CaptureQueriesContext(connection) as many:
        staff.text(LIST, q="ana")
    statements = [query["sql"] for query in [*few, *many]]
    assert not [sql for sql in statements if "COUNT(" in sql and "audit_event" in sql]
    assert len(many) <= len(few) + 4


def test_detail_shows_everything_and_the_rest_of_the_request(staff: StaffBrowser, called: Event) -> None:
    text = staff.text(f"{LIST}{called.pk}/change/")
    for expected in ("insufficient_scope", "In the same request", "Token issued", CONNECTION, "403"):
        assert expected in text


@pytest.mark.parametrize("part", ["change", "delete"])
def test_nobody_writes(staff: StaffBrowser, called: Event, part: str) -> None:
    sent = {"post": "yes", "reason": "x", "note": "x"}
    assert staff.http.post(f"{LIST}{called.pk}/{part}/", sent).status_code == 403
    assert staff.open(f"{LIST}add/").status_code == 403
    assert staff.http.post(LIST, {"action": "delete_selected", "_selected_action": str(called.pk)}).status_code in {
        200,
        302,
    }
    assert Event.objects.filter(pk=called.pk).exists()


def test_staff_without_the_permission_see_nothing(called: Event) -> None:
    assert StaffBrowser(make_staff("nils")).open(LIST).status_code == 403


HOSTILE: list[dict[str, Any]] = [
    {"before": "x"},
    {"before": "99999999999999999999999999.x"},
    {"before": "1." + "0" * 32},
    {"before": "²." + "0" * 32},
    {"before": "1.\u0000"},
    {"q": "\u0000"},
    {"q": '"'},
    {"q": "user:"},
    {"q": "x" * 10_000},
    {"q": "since:9999-99-99"},
    {"kind": "\u0000"},
    {"period": "x"},
    {"timestamp__gte": "x"},
    {"id__regex": "["},
    {"fields__x": "1"},
    {"p": "-5"},
    {"status": "99999999999999999999"},
    {"o": "1"},
    {"all": ""},
    {"e": "1"},
    {"q": "since:2020-01-01T00:00:00.0000001"},
]


@pytest.mark.parametrize("query", HOSTILE)
def test_no_query_breaks_the_list(staff: StaffBrowser, called: Event, query: dict[str, str]) -> None:
    assert staff.open(LIST, **query).status_code in {200, 302, 400}


@pytest.mark.parametrize("pk", ["0", "x", str(uuid.UUID(int=0)), "%00", "../../"])
def test_an_event_that_does_not_exist_is_no_error(staff: StaffBrowser, pk: str) -> None:
    assert staff.open(f"{LIST}{pk}/change/").status_code in {302, 400, 404}
