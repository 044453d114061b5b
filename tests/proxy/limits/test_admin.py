"""Limits in the admin: made, shown in words, changed, removed."""

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.scopes.models import Scope
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_backend
from proxy.limits.models import Limit
from tests.staff_browser import StaffBrowser, errors_of, last_event

LIMITS = "/admin/proxy/limit/"


@pytest.fixture
def operation(db: None) -> Operation:
    """An operation of a backend."""
    del db
    Scope.objects.create(name="jobs:read", title="Search jobs")
    backend = Backend(name="jobs", prefix="/api/v1/jobs", upstream_url="https://jobs.example/api")
    save_backend(backend=backend, actor=None)
    return Operation.objects.create(
        backend=backend, operation_id="search", methods=["GET"], path="/search", scopes=["jobs:read"]
    )


def test_a_limit_is_made_and_listed_in_words(staff: StaffBrowser, operation: Operation) -> None:
    staff.fill(f"{LIMITS}add/", max_calls="30", window_ms="60000", per="user", operation=str(operation.pk))
    made = Limit.objects.get()
    assert (made.backend, made.operation, made.client) == (operation.backend, operation, "")
    assert last_event(kind=Kind.ADMIN_OBJECT_ADDED).target == f"limit:{made.pk}"
    page = staff.text(LIMITS)
    assert "30 in 1 min" in page
    assert "jobs/search" in page
    assert "every client" in page


def test_what_could_not_count_comes_back_by_field(staff: StaffBrowser, operation: Operation) -> None:
    given = {"max_calls": "30", "window_ms": "60000", "per": "user"}
    assert "window_ms" in errors_of(staff.fill(f"{LIMITS}add/", **given | {"window_ms": "1"}))
    assert "client" in errors_of(staff.fill(f"{LIMITS}add/", **given, client="nobody"))
    staff.fill(f"{LIMITS}add/", **given)
    assert "per" in errors_of(staff.fill(f"{LIMITS}add/", **given))


def test_a_limit_is_changed_and_removed(staff: StaffBrowser, operation: Operation) -> None:
    made = Limit.objects.create(backend=operation.backend, per="client", max_calls=5, window_ms=1500)
    assert "5 in 1500 ms" in staff.text(LIMITS)
    staff.fill(f"{LIMITS}{made.pk}/change/", max_calls="6", reason="They asked for it.")
    assert Limit.objects.get().max_calls == 6
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["max_calls"]
    staff.fill(f"{LIMITS}{made.pk}/delete/", reason="They asked for it.")
    assert not Limit.objects.exists()
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED).note == "They asked for it."
