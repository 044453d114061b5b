"""Permissions in the admin: words in two languages, and a switch."""

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.clients.models import Client
from oauth_provider.revisions.read import read_all
from oauth_provider.scopes.models import Scope
from proxy.catalogue.models import Backend, Operation
from tests.agreed import World
from tests.staff_browser import StaffBrowser, errors_of, last_event

LIST = "/admin/oauth_provider/scope/"
WORDS = {"title": "Search jobs", "description": "Open positions.", "title_pt_br": "Buscar vagas",
         "description_pt_br": "Vagas abertas."}  # fmt: skip


@pytest.fixture
def scope(db: None) -> Scope:
    """A permission with words of a third language."""
    del db
    words = {"es": {"title": "Buscar empleos"}, "pt-br": {"title": "Vagas"}}
    return Scope.objects.create(name="jobs:read", title="Search jobs", translations=words)


def page(scope: Scope, part: str = "change") -> str:
    """The address of a page of `scope`."""
    return f"{LIST}{scope.pk}/{part}/"


def test_a_permission_is_added_with_its_words(staff: StaffBrowser) -> None:
    staff.fill(f"{LIST}add/", name="jobs:read", sensitivity="write", **WORDS)
    scope = Scope.objects.get()
    assert scope.words("title", "pt-br") == "Buscar vagas"
    assert scope.words("description", "en") == "Open positions."
    assert (scope.sensitivity, scope.enabled) == ("write", True)
    assert last_event(kind=Kind.ADMIN_OBJECT_ADDED).target == "scope:jobs:read"


def test_words_of_other_languages_stay(staff: StaffBrowser, scope: Scope) -> None:
    staff.fill(page(scope), title_pt_br="", description_pt_br="Vagas abertas.")
    scope.refresh_from_db()
    assert scope.translations == {"es": {"title": "Buscar empleos"}, "pt-br": {"description": "Vagas abertas."}}


@pytest.mark.parametrize("name", ["", "Jobs:Read", "jobs read", "jobs:*", "jobs\x00", "é", "a" * 101])
def test_a_name_that_is_no_scope_token_is_refused(staff: StaffBrowser, name: str) -> None:
    assert "name" in errors_of(staff.fill(f"{LIST}add/", name=name, title="T"))


def test_a_name_is_not_given_twice(staff: StaffBrowser, scope: Scope) -> None:
    assert "name" in errors_of(staff.fill(f"{LIST}add/", name=scope.name, title="T"))


def test_a_name_cannot_be_changed(staff: StaffBrowser, scope: Scope) -> None:
    values = staff.form(page(scope), "title").values
    staff.http.post(page(scope), values | {"name": ["other"], "title": ["New"]})
    scope.refresh_from_db()
    assert (scope.name, scope.title) == ("jobs:read", "New")


def test_disabling_needs_a_reason_and_is_announced(staff: StaffBrowser, scope: Scope) -> None:
    assert list(errors_of(staff.fill(page(scope), enabled=[]))) == ["reason"]
    before = read_all()
    staff.fill(page(scope), enabled=[], reason="Abused")
    scope.refresh_from_db()
    assert not scope.enabled
    assert all(read_all()[name] > before.get(name, 0) for name in ("catalogue", "revocation"))
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert (event.target, event.fields, event.note) == ("scope:jobs:read", ["enabled"], "Abused")


def test_where_it_is_used_is_counted(staff: StaffBrowser, world: World) -> None:
    backend = Backend.objects.create(name="echo", prefix="/api/v1/echo", upstream_url="https://echo.example")
    Operation.objects.create(backend=backend, operation_id="read", methods=["GET"], path="/", scopes=["tool:read"])
    scope = Scope.objects.get(name="tool:read")
    assert world.client.pk
    assert "Clients: 1 · Operations: 1" in staff.text(page(scope))
    assert "Clients: 1 · Operations: 1" in staff.text(LIST)


def test_only_an_unused_permission_is_deleted_and_with_a_reason(staff: StaffBrowser, scope: Scope) -> None:
    client = Client.objects.create(name="A", allowed_scopes="jobs:read")
    assert staff.open(page(scope, "delete")).status_code == 403
    client.delete()
    staff.http.post(page(scope, "delete"), {"post": "yes"})
    assert Scope.objects.exists()
    staff.fill(page(scope, "delete"), reason="A typing error")
    assert not Scope.objects.exists()
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED).note == "A typing error"


def test_who_may_only_look_changes_nothing(viewer: StaffBrowser, scope: Scope) -> None:
    assert viewer.open(page(scope)).status_code == 200
    assert viewer.http.post(page(scope), {"title": "x", "enabled": ""}).status_code == 403
    assert viewer.http.post(page(scope, "delete"), {"post": "yes", "reason": "x"}).status_code == 403
    assert viewer.open(f"{LIST}add/").status_code == 403


@pytest.mark.parametrize(
    "query", ["enabled__exact=x", "sensitivity__exact=%00", "q=%00", "o=z", "p=0", "title__regex=("]
)
def test_no_query_breaks_the_list(staff: StaffBrowser, scope: Scope, query: str) -> None:
    assert staff.open(f"{LIST}?{query}").status_code in {200, 302, 400}
