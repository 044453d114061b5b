"""An import and the next one: what the document changes, what staff changed, and all of it or nothing."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.scopes.models import Scope
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.openapi_import.apply import REASON, apply_import
from proxy.catalogue.openapi_import.faults import ChangedMeanwhile, OperationRefused
from proxy.catalogue.openapi_import.merge import Fate, Plan, make_plan
from proxy.catalogue.openapi_import.propose import Proposal, Proposer
from proxy.catalogue.save import save_operation
from proxy.catalogue.snapshot import build
from tests.proxy.catalogue.openapi_import.documents import DOCUMENT, JsonObject, document, store_backend

pytestmark = pytest.mark.django_db


@pytest.fixture
def backend(db: None) -> Backend:
    """A backend and two permissions."""
    del db
    return store_backend()


def read(backend: Backend, content: JsonObject, **options: Any) -> list[Proposal]:
    """The proposals of `content`."""
    return [each for found in Proposer(content, backend=backend, **options).proposals() for each in found]


def planned(backend: Backend, content: JsonObject, **options: Any) -> Plan:
    """What an import of `content` would change."""
    return make_plan(backend=backend, proposals=read(backend, content, **options), notes=[])


def imported(backend: Backend, content: JsonObject, *, disable_missing: bool = False, **options: Any) -> Plan:
    """Import `content`."""
    proposals: Sequence[Proposal] = read(backend, content, **options)
    seen = make_plan(backend=backend, proposals=proposals, notes=[]).digest
    return apply_import(
        backend=backend, proposals=proposals, notes=[], seen=seen, disable_missing=disable_missing, actor=None,
        note="As published",
    )  # fmt: skip


def operation(name: str) -> Operation:
    """An operation by its id, as it is stored."""
    return Operation.objects.get(operation_id=name)


def edited(name: str, **changes: Any) -> None:
    """Staff change an operation."""
    row = operation(name)
    for field, value in changes.items():
        setattr(row, field, value)
    save_operation(operation=row, actor=None)


def changed_document(path: str, method: str, **changes: Any) -> JsonObject:
    """The document with one operation changed."""
    made = document()
    made["paths"][path][method] |= changes
    return made


def test_a_first_import_makes_operations_that_run(backend: Backend) -> None:
    plan = imported(backend, DOCUMENT)
    assert [step.fate for step in plan.steps] == [Fate.NEW] * 4
    rows = {each.operation_id: each for each in Operation.objects.all()}
    assert {name: (each.methods, each.path, each.enabled) for name, each in rows.items()} == {
        "listJobs": (["GET"], "/jobs", True),
        "addJob": (["POST"], "/jobs", True),
        "getJob": (["GET"], "/jobs/{job_id}", True),
        "dropJob": (["DELETE"], "/jobs/{job_id}", False),
    }
    assert rows["listJobs"].tool_name == "listJobs"
    assert {plan.tool.row.name for plan in build(revision=1).backends["jobs"].tools} == {"listJobs", "addJob", "getJob"}


def test_every_operation_is_an_event_with_the_reason(backend: Backend) -> None:
    imported(backend, DOCUMENT)
    events = Event.objects.filter(kind=Kind.ADMIN_OBJECT_ADDED, reason=REASON)
    assert sorted(event.target for event in events) == [
        f"operation:jobs/{name}" for name in ("addJob", "dropJob", "getJob", "listJobs")
    ]
    assert {event.note for event in events} == {"As published"}


def test_the_same_document_again_changes_nothing(backend: Backend) -> None:
    imported(backend, DOCUMENT)
    before = Event.objects.count()
    assert {step.fate for step in planned(backend, DOCUMENT).steps} == {Fate.SAME}
    imported(backend, DOCUMENT)
    assert Event.objects.count() == before


def test_an_import_of_before_media_types_were_remembered_is_compared_as_with_application_json(
    backend: Backend,
) -> None:  # fmt: skip
    imported(backend, DOCUMENT)
    row = operation("addJob")
    row.imported = {name: value for name, value in (row.imported or {}).items() if name != "request_type"}
    row.save()
    assert {step.fate for step in planned(backend, DOCUMENT).steps} == {Fate.SAME}
    kind = "application/vnd.api+json"
    body = {"content": {kind: {"schema": {"type": "object"}}}}
    imported(backend, changed_document("/jobs", "post", requestBody=body))
    assert operation("addJob").request_type == kind


def test_what_the_document_changes_is_changed_field_by_field(backend: Backend) -> None:
    imported(backend, DOCUMENT)
    plan = imported(backend, changed_document("/jobs", "get", summary="Search", description="Many."))
    (step,) = plan.of(Fate.CHANGED)
    assert [(each.name, each.before, each.after) for each in step.taken] == [
        ("title", "List jobs", "Search"), ("description", "All of them.", "Many."),
    ]  # fmt: skip
    assert operation("listJobs").title == "Search"
    event = Event.newest_first().get(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert (event.fields, event.target, event.note) == (
        ["description", "title"],
        "operation:jobs/listJobs",
        "As published",
    )


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("listJobs", {"title": "Ours"}),
        ("listJobs", {"description": "Ours"}),
        ("listJobs", {"scopes": ["jobs:write"]}),
        ("listJobs", {"tool_name": "find_jobs"}),
        ("listJobs", {"tool_name": None}),
        ("listJobs", {"enabled": False}),
        ("dropJob", {"scopes": ["jobs:write"], "enabled": True}),
        ("listJobs", {"path": "/ours"}),
        ("listJobs", {"operation_id": "ours"}),
    ],
)
def test_what_staff_changed_stays_however_often_it_is_imported(
    backend: Backend, name: str, changes: dict[str, Any]
) -> None:
    imported(backend, DOCUMENT)
    pk = operation(name).pk
    edited(name, **changes)
    for _time in range(2):
        assert {step.fate for step in planned(backend, DOCUMENT).steps} <= {Fate.SAME, Fate.CHANGED}
        imported(backend, DOCUMENT)
        row = Operation.objects.get(pk=pk)
        assert {field: getattr(row, field) for field in changes} == changes
    assert Operation.objects.count() == 4


def test_what_both_changed_is_shown_and_stays_ours(backend: Backend) -> None:
    imported(backend, DOCUMENT)
    edited("listJobs", title="Ours")
    theirs = changed_document("/jobs", "get", summary="Theirs", description="Theirs too.")
    (step,) = imported(backend, theirs).of(Fate.CHANGED)
    assert [(each.name, each.before, each.after) for each in step.conflicts] == [("title", "Ours", "Theirs")]
    row = operation("listJobs")
    assert (row.title, row.description) == ("Ours", "Theirs too.")
    # It was shown; until the document changes again there is nothing more to say
    assert {each.fate for each in planned(backend, theirs).steps} == {Fate.SAME}


def test_an_operation_that_moves_keeps_its_row_by_its_name(backend: Backend) -> None:
    imported(backend, DOCUMENT)
    pk = operation("listJobs").pk
    moved = document()
    moved["paths"]["/positions"] = {"get": moved["paths"]["/jobs"].pop("get")}
    (step,) = imported(backend, moved).of(Fate.CHANGED)
    assert [(each.name, each.after) for each in step.taken] == [("path", "/positions")]
    assert Operation.objects.get(path="/positions").pk == pk


def test_what_is_gone_is_disabled_only_when_asked_and_comes_back(backend: Backend) -> None:
    imported(backend, DOCUMENT)
    fewer = document()
    del fewer["paths"]["/jobs"]["post"]
    (step,) = imported(backend, fewer).of(Fate.GONE)
    assert step.operation == operation("addJob")
    assert operation("addJob").enabled
    imported(backend, fewer, disable_missing=True)
    assert not operation("addJob").enabled
    assert Event.newest_first().filter(kind=Kind.ADMIN_OBJECT_CHANGED)[0].fields == ["enabled"]
    assert not planned(backend, fewer).of(Fate.GONE)
    imported(backend, DOCUMENT)
    assert operation("addJob").enabled


def test_what_was_made_by_hand_is_met_and_kept(backend: Backend) -> None:
    ours = Operation(
        backend=backend, operation_id="ours", methods=["GET"], path="/jobs", scopes=["jobs:write"], title="Ours"
    )
    save_operation(operation=ours, actor=None)
    plan = imported(backend, DOCUMENT)
    (step,) = plan.of(Fate.CHANGED)
    assert not step.taken
    assert {each.name for each in step.conflicts} >= {"title", "scopes"}
    row = operation("ours")
    assert (row.title, row.scopes, row.parameters) == ("Ours", ["jobs:write"], [])
    assert Operation.objects.count() == 4


def test_one_by_hand_with_several_methods_is_left_alone(backend: Backend) -> None:
    ours = Operation(backend=backend, operation_id="ours", methods=["GET", "POST"], path="/jobs", scopes=["jobs:read"])
    save_operation(operation=ours, actor=None)
    plan = imported(backend, DOCUMENT)
    assert [step.label for step in plan.of(Fate.LEFT_OUT)] == ["GET /jobs", "POST /jobs"]
    assert all("ours" in step.notes[0] for step in plan.of(Fate.LEFT_OUT))
    assert operation("ours").methods == ["GET", "POST"]


def test_names_that_are_taken_get_a_number_and_odd_ones_are_mended(backend: Backend) -> None:
    taken = Operation(backend=backend, operation_id="listJobs", methods=["GET"], path="/else", scopes=["jobs:read"])
    save_operation(operation=taken, actor=None)
    made = document()
    made["paths"]["/jobs"]["post"]["operationId"] = "jobs.add (new)"
    del made["paths"]["/jobs/{job-id}"]["get"]["operationId"]
    imported(backend, made)
    assert set(Operation.objects.values_list("operation_id", flat=True)) == {
        "listJobs", "listJobs-2", "jobs-add-new", "get-jobs-job-id", "dropJob",
    }  # fmt: skip


def test_a_scope_that_exists_by_now_enables_what_nobody_touched(backend: Backend) -> None:
    made = changed_document("/jobs", "get", security=[{"oauth": ["jobs:list"]}])
    imported(backend, made)
    assert not operation("listJobs").enabled
    Scope.objects.create(name="jobs:list", title="List")
    (step,) = imported(backend, made).of(Fate.CHANGED)
    assert {each.name for each in step.taken} == {"scopes", "enabled"}
    assert operation("listJobs").enabled


def test_nothing_is_stored_when_one_cannot_run(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    imported(backend, DOCUMENT)
    before = list(Operation.objects.order_by("pk").values())
    events = Event.objects.count()
    short_lived = Scope.objects.create(name="jobs:gone", title="Gone")
    proposals = read(backend, changed_document("/jobs", "get", security=[{"oauth": ["jobs:gone"]}], summary="New"))
    short_lived.delete()
    seen = make_plan(backend=backend, proposals=proposals, notes=[]).digest
    with pytest.raises(OperationRefused, match="GET /jobs: scopes"):
        apply_import(
            backend=backend, proposals=proposals, notes=[], seen=seen, disable_missing=True, actor=None, note=""
        )
    assert list(Operation.objects.order_by("pk").values()) == before
    assert Event.objects.count() == events


@pytest.mark.parametrize("field", ["title", "enabled", "tool_name"])
def test_whoever_agreed_to_something_else_changes_nothing(backend: Backend, field: str) -> None:
    imported(backend, DOCUMENT)
    proposals = read(backend, changed_document("/jobs", "get", summary="Theirs"))
    seen = make_plan(backend=backend, proposals=proposals, notes=[]).digest
    edited("listJobs", **{field: {"title": "Ours", "enabled": False, "tool_name": "ours"}[field]})
    with pytest.raises(ChangedMeanwhile):
        apply_import(
            backend=backend, proposals=proposals, notes=[], seen=seen, disable_missing=False, actor=None, note=""
        )
    assert operation("listJobs").title in {"Ours", "List jobs"}


def test_a_thousand_operations_take_a_handful_of_statements(
    backend: Backend, django_assert_max_num_queries: Any
) -> None:
    paths = {f"/p{number}": {"get": {"operationId": f"op{number}", "responses": {}}} for number in range(1000)}
    with django_assert_max_num_queries(60):
        imported(backend, document(paths=paths))
    assert Operation.objects.count() == 1000
    with django_assert_max_num_queries(30):
        assert {step.fate for step in imported(backend, document(paths=paths)).steps} == {Fate.SAME}
    assert connection.in_atomic_block
