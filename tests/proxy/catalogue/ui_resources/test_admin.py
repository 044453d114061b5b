"""Pages for tools in the admin: written, chosen by an operation, looked at in a sandbox, removed."""

from audit.ledger.kinds import Kind
from proxy.catalogue.models import Operation
from proxy.catalogue.ui_resources.models import UiResource
from tests.proxy.catalogue.ui_resources.conftest import HTML, URI
from tests.staff_browser import StaffBrowser, errors_of, last_event

PAGES = "/admin/proxy/uiresource/"


def test_a_page_is_written_and_listed(staff: StaffBrowser) -> None:
    given = {"uri": URI, "title": "Jobs", "html": HTML.replace("\n", "\r\n")}
    assert "html" in errors_of(staff.fill(f"{PAGES}add/", **given | {"html": "<p>"}))
    assert "connect_domains" in errors_of(staff.fill(f"{PAGES}add/", **given, connect_domains="http://a.example.com"))
    staff.fill(f"{PAGES}add/", **given, connect_domains="https://a.example.com\r\nhttps://b.example.com")
    made = UiResource.objects.get()
    assert (made.html, made.connect_domains) == (HTML, ["https://a.example.com", "https://b.example.com"])
    assert last_event(kind=Kind.ADMIN_OBJECT_ADDED).target == f"ui_resource:{URI}"
    listed = staff.text(PAGES)
    assert URI in listed
    assert "https://a.example.com, https://b.example.com" in listed


def test_what_was_not_touched_is_no_change(staff: StaffBrowser, page: UiResource) -> None:
    staff.fill(f"{PAGES}{page.pk}/change/", title="Positions", html=HTML.replace("\n", "\r\n"))
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["title"]
    assert "reason" in errors_of(staff.fill(f"{PAGES}{page.pk}/change/", html=f"{HTML}<p>more"))


def test_an_operation_chooses_its_page(staff: StaffBrowser, page: UiResource, search: Operation) -> None:
    staff.fill(f"/admin/proxy/operation/{search.pk}/change/", ui_resource=str(page.pk))
    search.refresh_from_db()
    assert search.ui_resource == page
    assert "jobs/search" in staff.text(PAGES)


def test_the_preview_shows_the_document_in_a_sandbox(staff: StaffBrowser, page: UiResource) -> None:
    shown = staff.open(f"{PAGES}{page.pk}/preview/")
    assert 'sandbox="allow-scripts"' in shown.content.decode()
    assert f'src="{PAGES}{page.pk}/document/"' in shown.content.decode()
    assert "frame-src 'self'" in shown["Content-Security-Policy"]
    document = staff.open(f"{PAGES}{page.pk}/document/")
    assert document.content.decode() == HTML
    assert document["Content-Security-Policy"].startswith("sandbox allow-scripts; default-src 'none'; ")
    assert document["X-Frame-Options"] == "SAMEORIGIN"


def test_who_may_not_see_pages_sees_no_preview_either(
    staff: StaffBrowser, viewer: StaffBrowser, page: UiResource
) -> None:
    for path in ("preview", "document"):
        assert viewer.open(f"{PAGES}{page.pk}/{path}/").status_code in {403, 404}
        assert staff.open(f"{PAGES}999/{path}/").status_code == 404


def test_a_page_is_removed_with_a_reason(staff: StaffBrowser, page: UiResource) -> None:
    staff.fill(f"{PAGES}{page.pk}/delete/", reason="Nobody shows it.")
    assert not UiResource.objects.exists()
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED).note == "Nobody shows it."
