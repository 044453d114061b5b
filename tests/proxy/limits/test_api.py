"""`limits/`: what can be said, what is refused by field, and that it counts."""

from typing import Any

import pytest

from audit.ledger.kinds import Kind
from proxy.catalogue.models import Backend, Operation
from proxy.limits.models import Limit
from proxy.limits.table import Facts, LimitTable
from tests.management_api import REASON, Api, errors_of
from tests.staff_browser import last_event

PER_USER: dict[str, Any] = {"per": "user", "max": 5, "window_ms": 60_000}


@pytest.fixture
def jobs(api: Api) -> int:
    """A backend with two operations; the number of the first."""
    api.made("scopes/", name="jobs:read", title="Jobs")
    api.made("backends/", name="jobs", upstream_url="https://jobs.example/")
    made = [
        api.made("operations/", backend="jobs", method="GET", path=f"/{name}", scopes=["jobs:read"], operation_id=name)
        for name in ("search", "detail")
    ]
    return int(made[0]["id"])


def test_a_limit_has_the_documented_defaults(api: Api) -> None:
    made = api.made("limits/", **PER_USER)
    assert made == PER_USER | {"id": made["id"], "backend": None, "operation": None, "client": None, "agent_tier": None}
    assert api.get(f"limits/{made['id']}/").json() == made
    event = last_event(kind=Kind.ADMIN_OBJECT_ADDED)
    assert event.target == f"limit:{made['id']}"


def test_an_operation_is_named_by_its_id_or_its_number(api: Api, jobs: int) -> None:
    named = api.made("limits/", **PER_USER, operation="search")
    assert (named["backend"], named["operation"]) == ("jobs", "search")
    assert api.delete(f"limits/{named['id']}/", **REASON).status_code == 204
    numbered = api.made("limits/", **PER_USER, operation=jobs, backend="jobs")
    assert (numbered["backend"], numbered["operation"]) == ("jobs", "search")
    # What a GET gave may be sent back
    assert api.patch(f"limits/{numbered['id']}/", numbered).json() == numbered


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"max": 0}, "max"),
        ({"max": "many"}, "max"),
        ({"max": 10**12}, "max"),
        ({"window_ms": 1}, "window_ms"),
        ({"window_ms": 10**13}, "window_ms"),
        ({"per": "planet"}, "per"),
        ({"per": None}, "per"),
        ({"backend": "none"}, "backend"),
        ({"backend": ["jobs"]}, "backend"),
        ({"operation": "none"}, "operation"),
        ({"operation": 10**30}, "operation"),
        ({"operation": True}, "operation"),
        ({"operation": "a\x00b"}, "operation"),
        ({"client": "nobody"}, "client"),
        ({"client": "a\x00b"}, "client"),
        ({"agent_tier": "boss"}, "agent_tier"),
        ({"burst": 2}, "burst"),
    ],
)
def test_what_could_not_count_is_refused_by_field(api: Api, change: dict[str, Any], field: str) -> None:
    assert field in errors_of(api.post("limits/", PER_USER | change))
    assert not Limit.objects.exists()


@pytest.mark.usefixtures("jobs")
def test_two_for_exactly_the_same_are_refused(api: Api) -> None:
    api.made("limits/", **PER_USER, backend="jobs")
    assert "per" in errors_of(api.post("limits/", PER_USER | {"backend": "jobs", "max": 9}))
    api.made("limits/", **PER_USER)


@pytest.mark.usefixtures("jobs")
def test_an_operation_of_another_backend_is_refused(api: Api) -> None:
    api.made("backends/", name="people", upstream_url="https://people.example/")
    answer = api.post("limits/", PER_USER | {"backend": "people", "operation": Operation.objects.first().pk})  # type: ignore[union-attr]
    assert "operation" in errors_of(answer)


def test_a_list_makes_all_or_none(api: Api) -> None:
    good = [PER_USER, PER_USER | {"per": "all"}]
    assert api.post("limits/", good).status_code == 201
    assert "1.max" in errors_of(api.post("limits/", [PER_USER | {"per": "client"}, PER_USER | {"max": 0}]))
    assert Limit.objects.count() == 2


def test_a_limit_is_changed_and_removed_with_a_reason(api: Api) -> None:
    made = api.made("limits/", **PER_USER)
    assert api.patch(f"limits/{made['id']}/", {"max": 9}).json() == made | {"max": 9}
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["max"]
    assert "X-Reason" in errors_of(api.delete(f"limits/{made['id']}/", **{"X-Reason": " "}))
    assert api.delete(f"limits/{made['id']}/", **REASON).status_code == 204
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED).note == REASON["X-Reason"]
    assert not Limit.objects.exists()


@pytest.mark.usefixtures("jobs")
def test_a_backend_takes_its_limits_with_it(api: Api) -> None:
    api.made("limits/", **PER_USER, operation="search")
    assert api.delete("backends/jobs/", **REASON).status_code == 204
    assert not Limit.objects.exists()
    assert not Backend.objects.exists()


@pytest.mark.usefixtures("jobs")
def test_what_is_stored_is_what_counts(api: Api) -> None:
    table = LimitTable(max_calls=300, window_ms=60_000)
    api.made("limits/", **PER_USER, operation="search", client="key:portal", agent_tier="background")
    table.read()
    facts = {"backend": "jobs", "user": "7", "client": "key:portal", "tenant": "", "address": "203.0.113.9"}
    wanted = table.wanted(Facts(operation="search", tier="background", **facts))
    assert [(each.max_calls, each.window_ms) for each in wanted] == [(300, 60_000), (5, 60_000)]
    assert len(table.wanted(Facts(operation="detail", tier="background", **facts))) == 1
