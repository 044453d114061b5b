"""What an event may hold, and what it never holds."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from audit.ledger.events import Draft, UserRef, new_event_id
from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.models import Event, Subject
from audit.ledger.origin import Origin, current_origin, set_origin, truncated_address
from audit.ledger.people import pseudonyms_matching, with_names
from audit.ledger.record import record

ANA = UserRef(user_id=1, external_id="user_2abc")
# No body, no token, no header, no query value, no name and no address of a person
ALLOWED = {
    "kind", "phase", "decision", "reason", "user", "actor", "client_id", "connection", "backend", "operation", "method",
    "path", "status", "upstream_status", "latency_us", "upstream_latency_us", "request_bytes", "response_bytes",
    "retries",
    "scopes", "scopes_required", "audience", "token", "target", "fields", "note", "request_id", "address", "id",
    "timestamp",
}  # fmt: skip


def test_the_fields_are_an_allow_list() -> None:
    assert {field.name for field in fields(Draft)} == ALLOWED
    stored = {field.name for field in Event._meta.concrete_fields}
    assert stored == ALLOWED - {"user"} | {"subject", "v"}


@pytest.mark.parametrize("name", ["body", "query", "headers", "authorization", "user_agent", "password"])
def test_nothing_else_can_be_recorded(name: str) -> None:
    unknown: dict[str, Any] = {name: "x"}
    with pytest.raises(TypeError):
        Draft(kind=Kind.PROXY_CALL_DECIDED, **unknown)


@pytest.mark.django_db
def test_every_field_arrives_as_it_was_given() -> None:
    given: dict[str, Any] = {
        "phase": Phase.INTENT, "decision": Decision.DENY, "reason": "rate_limited", "client_id": "c",
        "backend": "careers", "connection": "0190c0de-0000-7000-8000-000000000001", "operation": "searchJobs",
        "method": "GET", "path": "/jobs/{id}", "status": 429, "upstream_status": 200, "latency_us": 2**40,
        "upstream_latency_us": 1, "request_bytes": 0, "response_bytes": 2**40, "scopes": "a b", "scopes_required": "b",
        "audience": "https://g/api",
        "token": "0123456789abcdef", "target": "client:c", "fields": ("name", "scopes"), "note": "ção 🙂",
        "request_id": "r", "address": "192.0.2.0/24",
    }  # fmt: skip
    event = Event.objects.get(pk=record(kind=Kind.PROXY_CALL_DECIDED, **given))
    assert {name: getattr(event, name) for name in given} == given | {"fields": ["name", "scopes"]}


@pytest.mark.django_db
def test_texts_are_cut_to_their_column_and_hold_no_nul() -> None:
    event = Event.objects.get(
        pk=record(kind=Kind.PROXY_CALL_DECIDED, note="n" * 900, method="M\x00" * 30, reason="é" * 99)
    )
    assert (len(event.note), event.method, len(event.reason)) == (500, "M" * 16, 64)


@pytest.mark.django_db
def test_an_event_names_a_pseudonym_and_nothing_of_the_person() -> None:
    first, second = (Event.objects.get(pk=record(kind=Kind.PROXY_CALL_DECIDED, user=ANA)) for _ in range(2))
    assert first.subject == second.subject
    assert len(first.subject) == 32
    assert not any(part in str(vars(first)) for part in ("user_2abc", "'1'"))


@pytest.mark.django_db
def test_each_person_has_one_pseudonym_whatever_the_role() -> None:
    other = UserRef(user_id=2, external_id="user_2def")
    event = Event.objects.get(pk=record(kind=Kind.OAUTH_CONNECTION_REVOKED, user=ANA, actor=other))
    again = Event.objects.get(pk=record(kind=Kind.OAUTH_CONNECTION_REVOKED, user=other))
    assert event.subject != event.actor == again.subject


@pytest.mark.django_db
def test_a_new_external_id_is_the_same_person() -> None:
    before = Event.objects.get(pk=record(kind=Kind.PROXY_CALL_DECIDED, user=ANA))
    after = Event.objects.get(pk=record(kind=Kind.PROXY_CALL_DECIDED, user=UserRef(1, "user_new")))
    assert before.subject == after.subject
    assert Subject.objects.get().external_id == "user_new"


@pytest.mark.django_db
def test_names_are_found_at_display_and_are_gone_with_the_account() -> None:
    ana = get_user_model().objects.create(username="ana", email="ana@example.com")
    record(kind=Kind.PROXY_CALL_DECIDED, user=UserRef(ana.pk, "user_2abc"))
    assert names() == ["ana"]
    assert pseudonyms_matching("ana@") == pseudonyms_matching("user_2abc") == [Event.objects.get().subject]
    ana.delete()
    assert names() == ["user_2abc"]


def names() -> list[str]:
    """Whom the events are about, as a page shows it."""
    found: list[Any] = list(with_names(Event.objects.all()))
    return [event.subject_name for event in found]


@pytest.mark.django_db
def test_an_event_and_its_change_happen_together_or_not_at_all() -> None:
    with transaction.atomic():
        record(kind=Kind.ADMIN_OBJECT_CHANGED)
        transaction.set_rollback(True)
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_the_request_and_the_network_come_from_where_the_event_happened() -> None:
    token = set_origin(Origin(request_id="r-9", address="203.0.113.77"))
    try:
        event = Event.objects.get(pk=record(kind=Kind.OAUTH_TOKEN_ISSUED))
    finally:
        current_origin.reset(token)
    assert (event.request_id, event.address) == ("r-9", "203.0.113.0/24")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_an_address_points_at_no_single_household(address: str, network: str) -> None:
    assert truncated_address(address) == network


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_event_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert {identifier.version for identifier in ids} == {7}


def test_kinds_are_source_subject_action_and_their_names_follow() -> None:
    for kind in Kind:
        assert kind.name == kind.value.replace(":", "_").upper()
        assert kind.value.count(":") == 2


@pytest.mark.django_db
def test_recording_costs_two_statements_inside_the_transaction_of_the_change(
    django_assert_num_queries: Callable[[int], Any],
) -> None:
    record(kind=Kind.PROXY_CALL_DECIDED, user=ANA)
    with django_assert_num_queries(2):
        # Pseudonym, insert
        record(kind=Kind.PROXY_CALL_DECIDED, user=ANA)
