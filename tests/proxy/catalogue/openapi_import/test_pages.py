"""Import OpenAPI on a backend's page: a document, its differences, agreement."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.ledger.models import Event
from oauth_provider.scopes.models import Scope
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_operation
from tests.internet import Internet
from tests.proxy.catalogue.openapi_import.documents import DOCUMENT, JsonObject, document, store_backend
from tests.staff_browser import StaffBrowser, make_staff

TEXT = json.dumps(DOCUMENT)


@pytest.fixture
def page(db: None) -> str:
    """The address of the page for a backend."""
    del db
    return f"/admin/proxy/backend/{store_backend().pk}/openapi/"


def hidden(answer: Any, **changes: str) -> dict[str, str]:
    """What the page of differences would send."""
    agreement = answer.context["agreement"]
    return {name: agreement[name].value() for name in ("draft", "seen")} | {"reason": "As published"} | changes


def imported(staff: StaffBrowser, page: str, content: JsonObject, **fields: Any) -> Any:
    """Give a document and agree to what it changes."""
    shown = staff.http.post(page, {"text": json.dumps(content), **fields})
    return staff.http.post(page, hidden(shown))


def faults(answer: Any) -> str:
    """Why the document was sent back."""
    assert answer.status_code == 200
    return " ".join(answer.context["form"].non_field_errors())


def test_the_button_is_on_the_backends_page(staff: StaffBrowser, page: str) -> None:
    assert page in staff.text(page.removesuffix("openapi/") + "change/")


def test_differences_are_shown_before_anything_is_stored(staff: StaffBrowser, page: str) -> None:
    staff.form(page, "url", "text", "scopes")
    shown = staff.http.post(page, {"text": TEXT})
    text = shown.content.decode()
    for expected in ("GET /jobs", "Enabled at /jobs; it needs jobs:read", "Disabled: the document does not say", "New"):
        assert expected in text
    assert not Operation.objects.exists()


def test_whoever_agrees_imports(staff: StaffBrowser, page: str) -> None:
    answer = imported(staff, page, DOCUMENT)
    assert answer.headers["Location"] == page.removesuffix("openapi/") + "change/"
    assert Operation.objects.count() == 4
    events = Event.objects.filter(reason="openapi_import")
    assert {(event.note, event.actor != "") for event in events} == {("As published", True)}


def test_a_file_and_an_address_do_as_well(staff: StaffBrowser, page: str, internet: Internet) -> None:
    file = SimpleUploadedFile("openapi.json", TEXT.encode())
    assert "GET /jobs" in staff.http.post(page, {"file": file}).content.decode()
    internet.host("docs.example", lambda visit: visit.answer(TEXT.encode()))
    assert "GET /jobs" in staff.http.post(page, {"url": "https://docs.example/openapi.json"}).content.decode()


def test_changes_and_conflicts_are_shown(staff: StaffBrowser, page: str) -> None:
    imported(staff, page, DOCUMENT)
    row = Operation.objects.get(operation_id="listJobs")
    row.title = "Ours"
    save_operation(operation=row, actor=None)
    changed = document()
    changed["paths"]["/jobs"]["get"] |= {"summary": "Theirs", "description": "New words."}
    del changed["paths"]["/jobs"]["post"]
    shown = staff.http.post(page, {"text": json.dumps(changed), "disable_missing": "on"}).content.decode()
    for expected in ("Kept: staff changed it", "Ours", "Theirs", "New words.", "It will be disabled."):
        assert expected in shown
    imported(staff, page, changed, disable_missing="on")
    assert not Operation.objects.get(operation_id="addJob").enabled
    assert Operation.objects.get(operation_id="listJobs").title == "Ours"


def test_permissions_for_the_rest_enable_it(staff: StaffBrowser, page: str) -> None:
    imported(staff, page, DOCUMENT, scopes=["jobs:write"])
    dropped = Operation.objects.get(operation_id="dropJob")
    assert (dropped.enabled, dropped.scopes) == (True, ["jobs:write"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "one way"),
        ({"text": TEXT, "url": "https://docs.example/"}, "one way"),
        ({"text": "no document"}, "no OpenAPI"),
        ({"text": "x" * 900_001}, "900000"),
        ({"url": "http://127.0.0.1/openapi.json"}, "not fetched"),
        ({"url": "file:///etc/passwd"}, "not fetched"),
    ],
)
def test_what_cannot_be_read_is_said(staff: StaffBrowser, page: str, given: dict[str, str], words: str) -> None:
    assert words in faults(staff.http.post(page, given))


def test_nul_bytes_and_strange_files_are_refused(staff: StaffBrowser, page: str) -> None:
    assert staff.http.post(page, {"text": "a\x00"}).context["form"].errors["text"]
    for content in (b"\xff\xfe", b"\x00" * 10):
        assert faults(staff.http.post(page, {"file": SimpleUploadedFile("a", content)}))


def test_without_a_reason_nothing_is_stored(staff: StaffBrowser, page: str) -> None:
    shown = staff.http.post(page, {"text": TEXT})
    again = staff.http.post(page, hidden(shown, reason=" "))
    assert again.context["agreement"].errors["reason"]
    assert not Operation.objects.exists()


def test_what_changed_meanwhile_is_looked_at_again(staff: StaffBrowser, page: str) -> None:
    shown = staff.http.post(page, {"text": TEXT})
    backend = Backend.objects.get()
    other = Operation(backend=backend, operation_id="other", methods=["GET"], path="/x", scopes=["jobs:read"])
    save_operation(operation=other, actor=None)
    again = staff.http.post(page, hidden(shown))
    assert "Somebody changed the operations meanwhile" in again.content.decode()
    assert Operation.objects.count() == 1
    assert staff.http.post(page, hidden(again)).status_code == 302
    assert Operation.objects.count() == 5


def test_a_permission_that_is_gone_by_now_is_said(staff: StaffBrowser, page: str) -> None:
    shown = staff.http.post(page, {"text": TEXT, "scopes": ["jobs:write"]})
    Scope.objects.filter(name="jobs:write").delete()
    assert "No such scope: jobs:write." in staff.http.post(page, hidden(shown)).content.decode()
    assert not Operation.objects.exists()


@pytest.mark.parametrize("draft", ["", "nope", "\x00", "x" * 500])
def test_a_document_that_is_not_kept_is_asked_for_again(staff: StaffBrowser, page: str, draft: str) -> None:
    answer = staff.http.post(page, {"draft": draft, "seen": "x", "reason": "x"})
    assert "not kept any more" in answer.content.decode()


def test_another_persons_document_is_nobody_elses(staff: StaffBrowser, page: str) -> None:
    shown = staff.http.post(page, {"text": TEXT})
    other = StaffBrowser(User.objects.create_superuser("paula", password="for tests only"))
    assert "not kept any more" in other.http.post(page, hidden(shown)).content.decode()
    assert not Operation.objects.exists()


def test_who_may_only_look_has_no_such_page(viewer: StaffBrowser, page: str) -> None:
    assert viewer.open(page).status_code == viewer.http.post(page, {"text": TEXT}).status_code == 403
    assert page not in viewer.text(page.removesuffix("openapi/") + "change/")


def test_who_may_not_add_operations_has_none_either(page: str) -> None:
    half = StaffBrowser(make_staff("paulo", "proxy.change_backend", "proxy.view_backend", "proxy.change_operation"))
    assert half.open(page).status_code == 403


def test_a_document_is_not_kept_by_browsers(staff: StaffBrowser, page: str) -> None:
    assert "no-store" in staff.http.post(page, {"text": TEXT}).headers["Cache-Control"]
