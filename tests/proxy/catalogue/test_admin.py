"""Backends and operations in the admin: what staff type is what the data plane runs."""

from typing import Any

import pytest

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.resources.models import Resource
from oauth_provider.revisions.read import read_all
from oauth_provider.scopes.models import Scope
from proxy.catalogue.credentials import BearerCredential
from proxy.catalogue.matching import Found
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_backend
from proxy.catalogue.snapshot import build
from tests.staff_browser import StaffBrowser, errors_of, last_event

BACKENDS = "/admin/proxy/backend/"
OPERATIONS = "/admin/proxy/operation/"
JOBS = {"name": "jobs", "prefix": "/api/v1/jobs", "upstream_url": "https://jobs.example/api"}


@pytest.fixture(autouse=True)
def scope(db: None) -> Scope:
    """One permission."""
    del db
    return Scope.objects.create(name="jobs:read", title="Search jobs")


@pytest.fixture
def backend(db: None) -> Backend:
    """A backend with a credential."""
    del db
    made = Backend(**JOBS)
    save_backend(backend=made, actor=None, credential=BearerCredential(token="s3cret-credential"))
    return made


@pytest.fixture
def operation(backend: Backend) -> Operation:
    """One operation of it."""
    return Operation.objects.create(
        backend=backend, operation_id="search", methods=["GET"], path="/search", scopes=["jobs:read"]
    )


def page(row: Backend | Operation, part: str = "change") -> str:
    """The address of a page of `row`."""
    start = BACKENDS if isinstance(row, Backend) else OPERATIONS
    return f"{start}{row.pk}/{part}/"


def test_a_new_backend_runs_and_is_a_resource(staff: StaffBrowser) -> None:
    before = read_all().get("catalogue", 0)
    bearer = {"credential": "bearer", "bearer_token": "abc"}
    staff.fill(f"{BACKENDS}add/", **JOBS, identity_headers="X-Clerk-User-Id\nX-Other", **bearer)
    plan = build(revision=1).backends["jobs"]
    assert (plan.prefix, plan.identity_headers) == ("/api/v1/jobs", ("X-Clerk-User-Id", "X-Other"))
    assert plan.credential == ("Authorization", "Bearer abc")
    assert Resource.objects.filter(path="/api/v1/jobs").exists()
    assert read_all()["catalogue"] > before
    event = last_event(kind=Kind.ADMIN_OBJECT_ADDED)
    assert (event.target, event.backend, event.actor != "") == ("backend:jobs", "jobs", True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "no spaces"),
        ("name", ""),
        ("prefix", "/jobs"),
        ("prefix", "/api/v1/jobs/"),
        ("prefix", "/api/v1/../admin"),
        ("upstream_url", "ftp://jobs.example"),
        ("upstream_url", "https://user:pass@jobs.example"),
        ("upstream_url", "https://jobs.example/?q=1"),
        ("upstream_url", "http://169.254.169.254/"),
        ("upstream_url", "http://127.1/"),
        ("upstream_url", "https://jobs.example/\x00"),
        ("upstream_url", "https://jobs.example:99999/"),
        ("identity_headers", "Host"),
        ("identity_headers", "X_User"),
        ("identity_query", "user id"),
        ("credential", "anything"),
        ("timeout_ms", "0"),
        ("timeout_ms", "99999999999999999999"),
        ("timeout_ms", "x"),
        ("max_concurrency", "-1"),
        ("auth_mode", "anything"),
    ],
)
def test_what_could_not_run_is_refused_by_field(staff: StaffBrowser, field: str, value: str) -> None:
    assert field in errors_of(staff.fill(f"{BACKENDS}add/", **(JOBS | {field: value})))
    assert not Backend.objects.exists()


def test_the_gateway_itself_is_no_backend(staff: StaffBrowser, settings: Any) -> None:
    answer = staff.fill(f"{BACKENDS}add/", **(JOBS | {"upstream_url": settings.PUBLIC_BASE_URL}))
    assert "upstream_url" in errors_of(answer)


def test_a_credential_is_sealed_and_never_shown(staff: StaffBrowser, backend: Backend) -> None:
    assert backend.credential == BearerCredential(token="s3cret-credential")
    text = staff.text(page(backend))
    assert "s3cret" not in text
    assert backend.credential_sealed not in text
    assert not Event.objects.filter(note__contains="s3cret").exists()


def test_an_empty_credential_keeps_the_present_one(staff: StaffBrowser, backend: Backend) -> None:
    staff.fill(page(backend), timeout_ms="5000")
    backend.refresh_from_db()
    assert backend.credential == BearerCredential(token="s3cret-credential")
    assert backend.timeout_ms == 5000


def test_a_credential_is_replaced_and_removed(staff: StaffBrowser, backend: Backend) -> None:
    staff.fill(page(backend), credential="bearer", bearer_token="another", reason="Rotation")
    backend.refresh_from_db()
    assert backend.credential == BearerCredential(token="another")
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["credential"]
    staff.fill(page(backend), credential="none", reason="Not needed")
    backend.refresh_from_db()
    assert backend.credential_sealed == ""


def test_a_credential_is_not_taken_to_another_host(staff: StaffBrowser, backend: Backend) -> None:
    elsewhere = {"upstream_url": "https://evil.example/api", "reason": "Moving"}
    assert "credential" in errors_of(staff.fill(page(backend), **elsewhere))
    assert staff.fill(page(backend), **elsewhere, credential="none").status_code == 302
    backend.refresh_from_db()
    assert (backend.upstream_url, backend.credential_sealed) == ("https://evil.example/api", "")


def test_a_path_on_the_same_host_keeps_the_credential(staff: StaffBrowser, backend: Backend) -> None:
    staff.fill(page(backend), upstream_url="https://jobs.example/api/v2", reason="New version")
    backend.refresh_from_db()
    assert backend.credential_sealed


def test_name_and_prefix_are_fixed(staff: StaffBrowser, backend: Backend) -> None:
    values = staff.form(page(backend), "timeout_ms").values
    staff.http.post(page(backend), values | {"name": ["other"], "prefix": ["/api/v1/other"], "timeout_ms": ["500"]})
    backend.refresh_from_db()
    assert (backend.name, backend.prefix, backend.timeout_ms) == ("jobs", "/api/v1/jobs", 500)


@pytest.mark.parametrize("changes", [{"enabled": []}, {"auth_mode": "public"}, {"allow_private": "on"}])
def test_giving_or_taking_access_needs_a_reason(staff: StaffBrowser, backend: Backend, changes: dict[str, Any]) -> None:
    assert list(errors_of(staff.fill(page(backend), **changes))) == ["reason"]
    assert staff.fill(page(backend), **changes, reason="Decided").status_code == 302
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).note == "Decided"


def test_a_disabled_backend_answers_nothing(staff: StaffBrowser, backend: Backend) -> None:
    staff.fill(page(backend), enabled=[], reason="Down for good")
    assert "jobs" not in build(revision=1).backends


def test_deleting_takes_a_reason_the_operations_and_the_unused_resource(
    staff: StaffBrowser, operation: Operation
) -> None:
    backend = operation.backend
    staff.http.post(page(backend, "delete"), {"post": "yes", "reason": " "})
    assert Backend.objects.exists()
    assert "search" in staff.text(page(backend, "delete"))
    staff.fill(page(backend, "delete"), reason="Replaced")
    assert not Backend.objects.exists()
    assert not Operation.objects.exists()
    assert not Resource.objects.filter(path="/api/v1/jobs").exists()
    event = last_event(kind=Kind.ADMIN_OBJECT_DELETED)
    assert (event.target, event.note) == ("backend:jobs", "Replaced")


def test_page_of_a_backend_lists_its_operations(staff: StaffBrowser, operation: Operation) -> None:
    text = staff.text(page(operation.backend))
    assert page(operation) in text
    assert f"{OPERATIONS}add/?backend={operation.backend.pk}" in text


def test_page_of_a_backend_names_its_document_and_what_is_wrong_with_it(
    staff: StaffBrowser, operation: Operation
) -> None:
    text = staff.text(page(operation.backend))
    assert "/api/v1/jobs/openapi.json" in text
    assert "ChatGPT would not take it" not in text
    staff.fill(page(operation), description="d" * 301)
    words = "Its description has 301 characters, and ChatGPT takes 300: shorten it."
    assert words in staff.text(page(operation.backend))


def test_the_gateways_own_document_is_no_operation(staff: StaffBrowser, backend: Backend) -> None:
    values: dict[str, Any] = {"backend": str(backend.pk), "operation_id": "a", "methods": ["GET"]}
    for path in ("/openapi.json", "/openapi.yaml"):
        assert "path" in errors_of(staff.fill(f"{OPERATIONS}add/", **values, path=path))
    Backend.objects.update(auth_mode="public")
    assert staff.fill(f"{OPERATIONS}add/", **values, path="/openapi.json").status_code == 302


def test_a_new_operation_runs(staff: StaffBrowser, backend: Backend) -> None:
    before = read_all().get("catalogue", 0)
    values: dict[str, Any] = {
        "operation_id": "getJob",
        "methods": ["GET", "POST"],
        "path": "/jobs/{id}",
        "scopes": ["jobs:read"],
    }
    staff.fill(f"{OPERATIONS}add/?backend={backend.pk}", **values)
    operation = Operation.objects.get()
    assert (operation.backend, operation.methods, operation.scopes) == (backend, ["GET", "POST"], ["jobs:read"])
    assert build(revision=1).backends["jobs"].scopes == ("jobs:read",)
    assert read_all()["catalogue"] > before
    event = last_event(kind=Kind.ADMIN_OBJECT_ADDED)
    assert (event.target, event.scopes_required) == ("operation:jobs/getJob", "jobs:read")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("backend", ""),
        ("backend", "999"),
        ("backend", "x"),
        ("operation_id", "no spaces"),
        ("methods", []),
        ("methods", ["TRACE"]),
        ("path", "jobs"),
        ("path", "/jobs/../admin"),
        ("path", "/jobs/{id}/{id}"),
        ("path", "/**/x"),
        ("path", "/a\x00"),
        ("scopes", ["nope"]),
        ("auth_mode", "nope"),
        ("max_request_bytes", "-1"),
    ],
)
def test_an_operation_that_could_not_run_is_refused(
    staff: StaffBrowser, backend: Backend, field: str, value: str | list[str]
) -> None:
    values: dict[str, Any] = {"backend": str(backend.pk), "operation_id": "a", "methods": ["GET"], "path": "/a"}
    assert field in errors_of(staff.fill(f"{OPERATIONS}add/", **(values | {field: value})))
    assert not Operation.objects.exists()


def test_an_operation_that_another_hides_is_refused(staff: StaffBrowser, operation: Operation) -> None:
    values: dict[str, Any] = {"backend": str(operation.backend.pk), "operation_id": "again", "path": "/search"}
    assert "path" in errors_of(staff.fill(f"{OPERATIONS}add/", **values, methods=["GET", "POST"]))
    assert staff.fill(f"{OPERATIONS}add/", **values, methods=["POST"]).status_code == 302


@pytest.mark.parametrize(
    "changes", [{"scopes": []}, {"enabled": []}, {"auth_mode": "public"}, {"path": "/other"}, {"methods": ["POST"]}]
)
def test_who_may_call_an_operation_changes_only_with_a_reason(
    staff: StaffBrowser, operation: Operation, changes: dict[str, Any]
) -> None:
    assert list(errors_of(staff.fill(page(operation), **changes))) == ["reason"]
    assert staff.fill(page(operation), **changes, reason="Decided").status_code == 302
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).note == "Decided"


def test_an_operation_is_deleted_with_a_reason(staff: StaffBrowser, operation: Operation) -> None:
    staff.fill(page(operation, "delete"), reason="Not offered any more")
    assert not Operation.objects.exists()
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED).target == "operation:jobs/search"


def test_who_may_only_look_changes_nothing(viewer: StaffBrowser, operation: Operation) -> None:
    for row in (operation, operation.backend):
        assert viewer.open(page(row)).status_code == 200
        for part in ("change", "delete"):
            assert viewer.http.post(page(row, part), {"post": "yes", "reason": "x", "enabled": ""}).status_code == 403
    assert viewer.open(f"{BACKENDS}add/").status_code == viewer.open(f"{OPERATIONS}add/").status_code == 403
    assert f"{OPERATIONS}add/" not in viewer.text(page(operation.backend))


@pytest.mark.parametrize("start", [BACKENDS, OPERATIONS])
@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "enabled__exact=x",
        "auth_mode__exact=%00",
        "backend__id__exact=x",
        "credential_sealed__startswith=g",
        "backend__credential_sealed=x",
        "o=5.5.5",
        "p=99999",
        "timeout_ms=99999999999999999999",
        "upstream_url__regex=[",
    ],
)
def test_no_query_breaks_a_list(staff: StaffBrowser, operation: Operation, start: str, query: str) -> None:
    assert staff.open(f"{start}?{query}").status_code in {200, 302, 400}


def test_no_query_reads_a_credential(staff: StaffBrowser, backend: Backend) -> None:
    for lookup in ("credential_sealed", "credential_sealed__exact", "credential_sealed__startswith"):
        assert staff.open(BACKENDS, **{lookup: backend.credential_sealed}).status_code == 400


def test_a_json_rpc_backend_and_a_method_of_it(staff: StaffBrowser) -> None:
    staff.fill(
        f"{BACKENDS}add/", name="codex", kind="jsonrpc", prefix="/api/v1/codex", upstream_url="https://c.example"
    )
    backend = Backend.objects.get(name="codex")
    staff.fill(f"{OPERATIONS}add/", backend=str(backend.pk), operation_id="start", rpc_method="thread/start")
    made = Operation.objects.get()
    assert (made.methods, made.path, made.tool_name) == (["POST"], "/", None)
    assert "POST /api/v1/codex/ thread/start" in staff.text(page(backend))
    again = staff.fill(f"{OPERATIONS}add/", backend=str(backend.pk), operation_id="again", rpc_method="thread/start")
    assert errors_of(again).keys() == {"path"}
    staff.fill(f"{OPERATIONS}add/", backend=str(backend.pk), operation_id="turn", rpc_method="turn/start")
    (plan,) = build(revision=1).backends.values()
    found = plan.matcher.match("POST", ())
    assert isinstance(found, Found)
    assert set(found.operation.by_rpc_method or {}) == {"thread/start", "turn/start"}


def test_an_operation_of_another_backend_needs_a_method_and_a_path(staff: StaffBrowser, backend: Backend) -> None:
    refused = staff.fill(f"{OPERATIONS}add/", backend=str(backend.pk), operation_id="x")
    assert errors_of(refused).keys() == {"methods", "path"}


def test_words_that_help_no_model_are_named_and_kept(staff: StaffBrowser, operation: Operation) -> None:
    Operation.objects.filter(pk=operation.pk).update(tool_name="search")
    order = "You must call this before any other."
    answer = staff.fill(page(operation), description=order)
    assert "gives the model an order" in staff.text(answer.headers["Location"])
    operation.refresh_from_db()
    assert operation.description == order
    assert "gives the model an order" in staff.text(page(operation))
    staff.fill(page(operation), description="Finds open jobs by words in their title.")
    assert "gives the model an order" not in staff.text(page(operation))
