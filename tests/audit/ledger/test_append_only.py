"""Events are never changed: not through the ORM, not past it, by nobody who owns the table."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from audit.ledger.events import new_event_id
from audit.ledger.kinds import Kind
from audit.ledger.models import AppendOnlyError, Event
from audit.ledger.record import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    """An event in the ledger."""
    return Event.objects.get(pk=record(kind=Kind.PROXY_CALL_DECIDED, reason="as it was", request_id="r-1"))


def change(event: Event) -> None:
    event.reason = "changed"
    event.save()


ORM: dict[str, Callable[[Event], object]] = {
    "save": change,
    "delete": lambda event: event.delete(),
    "update": lambda _event: Event.objects.update(reason="changed"),
    "aupdate": lambda _event: Event.objects.all().aupdate(reason="changed"),
    "delete-many": lambda _event: Event.objects.all().delete(),
    "adelete": lambda _event: Event.objects.all().adelete(),
    "bulk_update": lambda event: Event.objects.bulk_update([event], ["reason"]),
    "update_or_create": lambda event: Event.objects.update_or_create(pk=event.pk, defaults={"reason": "changed"}),
    "upsert": lambda event: Event.objects.bulk_create(
        [event], update_conflicts=True, update_fields=["reason"], unique_fields=["id"]
    ),
}


@pytest.mark.parametrize("attempt", ORM.values(), ids=ORM.keys())
def test_the_orm_refuses(event: Event, attempt: Callable[[Event], object]) -> None:
    with pytest.raises(AppendOnlyError):
        attempt(event)
    assert_untouched(event)


EVERYWHERE = {
    "update": "UPDATE audit_event SET reason = 'changed'",
    "update-id": "UPDATE audit_event SET id = '{other}'",
    "delete": "DELETE FROM audit_event",
    "upsert": "INSERT INTO audit_event SELECT * FROM audit_event WHERE true"
    " ON CONFLICT (id) DO UPDATE SET reason = 'changed'",
}
ONLY_THERE = {
    "sqlite": {
        "replace": "REPLACE INTO audit_event SELECT * FROM audit_event",
        "update-or-replace": "UPDATE OR REPLACE audit_event SET reason = 'changed'",
        "replace-by-rowid": "INSERT OR REPLACE INTO audit_event (rowid, {columns})"
        " SELECT rowid, '{other}', {columns_but_id} FROM audit_event",
    },
    "postgresql": {
        "truncate": "TRUNCATE audit_event",
        "truncate-cascade": "TRUNCATE audit_event RESTART IDENTITY CASCADE",
        "merge": "MERGE INTO audit_event e USING audit_event f ON e.id = f.id WHEN MATCHED THEN DELETE",
        "as-a-replica": "SET LOCAL session_replication_role = replica; DELETE FROM audit_event",
    },
}


SQL = EVERYWHERE | ONLY_THERE[connection.vendor]


@pytest.mark.parametrize("statement", SQL.values(), ids=SQL.keys())
def test_the_database_refuses(event: Event, statement: str) -> None:
    but_id = ", ".join(f'"{field.column}"' for field in Event._meta.concrete_fields if field.name != "id")
    other = new_event_id()
    sql = statement.format(
        other=other.hex if connection.vendor == "sqlite" else other, columns=f"id, {but_id}", columns_but_id=but_id
    )
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert_untouched(event)


def test_the_orm_past_its_manager_meets_the_database(event: Event) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event._base_manager.update(reason="changed")  # noqa: SLF001 - the manager nobody may refuse by
    assert_untouched(event)


def test_a_user_that_is_deleted_leaves_the_ledger_as_it_is(django_user_model: type[User], event: Event) -> None:
    django_user_model.objects.create(username="leaver").delete()
    assert_untouched(event)


def assert_untouched(event: Event) -> None:
    assert Event.objects.values_list("pk", "reason").get() == (event.pk, "as it was")
