"""Resources over the management API."""

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.resources.models import Resource
from tests.agreed import World
from tests.management_api import Api, errors_of
from tests.staff_browser import last_event

ORIGIN = "http://127.0.0.1:8000"


def test_a_backends_resource_shows_its_scopes_and_keeps_its_identifier(api: Api) -> None:
    api.made("scopes/", name="jobs:read", title="Read")
    api.made("backends/", name="jobs", upstream_url="https://jobs.example")
    api.made("operations/", backend="jobs", method="GET", path="/", scopes=["jobs:read"])
    (shown,) = api.get("resources/").json()["results"]
    assert shown == {
        "id": shown["id"],
        "identifier": f"{ORIGIN}/api/v1/jobs",
        "scopes": ["jobs:read"],
        "token_format": "opaque",
    }
    address = f"resources/{shown['id']}/"
    assert api.patch(address, {"token_format": "jwt"}).json()["token_format"] == "jwt"
    assert "identifier" in errors_of(api.patch(address, {"identifier": f"{ORIGIN}/other"}))
    assert "scopes" in errors_of(api.patch(address, {"scopes": []}))
    errors_of(api.delete(address), 409)


def test_another_api_is_made_changed_and_removed(api: Api) -> None:
    made = api.made("resources/", identifier=f"{ORIGIN}/reports", token_format="jwt")
    address = f"resources/{made['id']}/"
    assert api.patch(address, {"identifier": f"{ORIGIN}/daily"}).json()["identifier"] == f"{ORIGIN}/daily"
    assert Resource.objects.get().path == "/daily"
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED, target="resource:/daily").fields == ["identifier"]
    assert api.delete(address).status_code == 204


@pytest.mark.parametrize(
    "identifier", ["/reports", "https://elsewhere.example/x", f"{ORIGIN}/", ORIGIN, f"{ORIGIN}/x?y", f"{ORIGIN}/é", ""]
)
def test_an_identifier_is_an_address_of_this_origin(api: Api, identifier: str) -> None:
    assert "identifier" in errors_of(api.post("resources/", {"identifier": identifier}))


def test_two_resources_have_two_identifiers(api: Api) -> None:
    api.made("resources/", identifier=f"{ORIGIN}/reports")
    assert "identifier" in errors_of(api.post("resources/", {"identifier": f"{ORIGIN}/reports"}))


def test_what_people_connected_to_stays(api: Api, world: World) -> None:
    errors_of(api.delete(f"resources/{world.connection.resource_id}/"), 409)
