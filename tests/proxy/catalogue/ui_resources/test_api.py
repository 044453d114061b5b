"""`ui-resources/` and the `ui_resource` of an operation: made, shown, changed with a reason, removed."""

from typing import Any

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.revisions.models import Revision
from proxy.catalogue.models import Operation
from proxy.catalogue.ui_resources.models import UiResource
from tests.management_api import REASON, Api, errors_of
from tests.proxy.catalogue.ui_resources.conftest import HTML, URI
from tests.staff_browser import last_event

PAGE: dict[str, Any] = {"uri": URI, "title": "Jobs", "html": HTML}


def revision() -> int:
    """The catalogue's."""
    return sum(Revision.objects.filter(name="catalogue").values_list("value", flat=True))


def test_a_page_is_made_with_the_documented_defaults(api: Api) -> None:
    before = revision()
    made = api.made("ui-resources/", **PAGE)
    nothing: dict[str, Any] = {"connect_domains": [], "resource_domains": [], "frame_domains": [], "operations": []}
    assert made == PAGE | nothing | {"id": made["id"], "description": "", "prefers_border": True, "domain": ""}
    assert api.get("ui-resources/", uri=URI).json()["results"] == [made]
    # What a GET gave may be sent back, and changes nothing
    assert api.patch(f"ui-resources/{made['id']}/", made).json() == made
    assert last_event(target=f"ui_resource:{URI}").kind == Kind.ADMIN_OBJECT_ADDED
    assert revision() == before + 1


def test_an_operation_names_its_page_by_the_uri(api: Api, page: UiResource, search: Operation) -> None:
    where = f"operations/{search.pk}/"
    assert api.get(where).json()["ui_resource"] is None
    assert api.patch(where, {"ui_resource": URI}).json()["ui_resource"] == URI
    assert last_event(target="operation:jobs/search").fields == ["ui_resource"]
    assert api.get(f"ui-resources/{page.pk}/").json()["operations"] == ["jobs/search"]
    for wrong in ("ui://jobs/none.html", 7, ["x"], "a\x00b"):
        assert "ui_resource" in errors_of(api.patch(where, {"ui_resource": wrong}))
    assert api.patch(where, {"ui_resource": None}).json()["ui_resource"] is None


def test_what_people_see_changes_with_a_reason_only(api: Api, page: UiResource) -> None:
    where = f"ui-resources/{page.pk}/"
    assert api.patch(where, {"title": "Positions"}).status_code == 200
    for change in ({"html": f"{HTML}<p>"}, {"connect_domains": ["https://api.example.com"]}):
        assert api.patch(where, change).status_code == 400
        assert api.patch(where, change, **REASON).status_code == 200
    assert last_event(target=f"ui_resource:{URI}").fields == ["connect_domains"]
    assert "uri" in errors_of(api.patch(where, {"uri": "ui://jobs/other.html"}))


@pytest.mark.parametrize(
    "change",
    [
        {"uri": "ui://jobs"},
        {"uri": None},
        {"html": "<p>"},
        {"html": 7},
        {"html": HTML + "x" * 262_144},
        {"title": ""},
        {"connect_domains": ["http://api.example.com"]},
        {"connect_domains": "https://api.example.com"},
        {"resource_domains": [None]},
        {"frame_domains": ["https://a.example.com"] * 21},
        {"prefers_border": "perhaps"},
        {"domain": "a b"},
        {"scripts": True},
    ],
)
def test_what_could_not_be_shown_is_refused_by_field(api: Api, change: dict[str, Any]) -> None:
    faults = errors_of(api.post("ui-resources/", PAGE | change))
    assert {name.partition(".")[0] for name in faults} == set(change)
    assert not UiResource.objects.exists()


def test_a_removed_page_leaves_its_operation(api: Api, page: UiResource, search: Operation) -> None:
    Operation.objects.filter(pk=search.pk).update(ui_resource=page)
    assert api.delete(f"ui-resources/{page.pk}/").status_code == 204
    search.refresh_from_db()
    assert search.ui_resource is None
    assert last_event(target=f"ui_resource:{URI}").kind == Kind.ADMIN_OBJECT_DELETED
