"""`servers/`: what can be said, what is refused by field, and what comes of it."""

from typing import Any

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.resources.models import Resource
from oauth_provider.revisions.read import read_all
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.servers.models import McpServer
from tests.management_api import REASON, Api, api_of, errors_of
from tests.staff_browser import last_event

pytestmark = pytest.mark.usefixtures("operations")


def test_a_server_has_the_documented_defaults(api: Api) -> None:
    made = api.made("servers/", name="careers")
    assert made == {
        "name": "careers",
        "title": "",
        "instructions": "",
        "operations": [],
        "enabled": True,
        "url": made["url"],
        "scopes": [],
    }
    assert made["url"].endswith("/mcp/careers")
    assert api.get("servers/careers/").json() == made
    event = last_event(kind=Kind.ADMIN_OBJECT_ADDED)
    assert (event.target, event.fields) == ("server:careers", ["name"])
    assert Resource.objects.get(path="/mcp/careers").title == "careers"


def test_operations_are_named_with_or_without_their_backend_or_by_number(
    api: Api, operations: dict[str, Operation]
) -> None:
    named = ["jobs/search", "drop-jobs", operations["people/search"].pk, "jobs/search"]
    made = api.made("servers/", name="careers", operations=named)
    assert made["operations"] == ["jobs/drop-jobs", "jobs/search", "people/search"]
    assert made["scopes"] == ["jobs:read", "jobs:write"]
    # What a GET gave may be sent back, and changes nothing
    before = read_all()["catalogue"]
    assert api.patch("servers/careers/", made).json() == made
    assert read_all()["catalogue"] == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Careers"}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "a.b"}, "name"),
        ({"name": "x" * 51}, "name"),
        ({"title": "x" * 65}, "title"),
        ({"instructions": "x" * 2001}, "instructions"),
        ({"instructions": "a\x00b"}, "instructions"),
        ({"operations": "jobs/search"}, "operations"),
        ({"operations": ["search"]}, "operations"),
        ({"operations": ["none/search"]}, "operations"),
        ({"operations": ["open/search"]}, "operations"),
        ({"operations": ["a\x00b"]}, "operations"),
        ({"operations": [True]}, "operations"),
        ({"operations": [10**30]}, "operations"),
        ({"operations": [{}]}, "operations"),
        ({"enabled": None}, "enabled"),
        ({"url": "https://other.example/mcp/x"}, "url"),
        ({"tools": []}, "tools"),
    ],
)
def test_what_cannot_be_offered_is_refused_by_field(api: Api, change: dict[str, Any], field: str) -> None:
    assert field in errors_of(api.post("servers/", {"name": "careers"} | change))
    assert not McpServer.objects.exists()
    assert not Resource.objects.filter(path__startswith="/mcp/").exists()


def test_a_name_is_given_once(api: Api) -> None:
    api.made("servers/", name="careers")
    assert "name" in errors_of(api.post("servers/", {"name": "careers"}))
    assert "name" in errors_of(api.patch("servers/careers/", {"name": "jobs"}))


def test_a_name_that_a_backend_answers_to_is_refused(api: Api) -> None:
    Backend.objects.filter(name="jobs").update(prefix="/mcp/careers")
    assert "name" in errors_of(api.post("servers/", {"name": "careers"}))


def test_a_backend_cannot_take_the_address_of_a_server(api: Api) -> None:
    api.made("servers/", name="careers")
    wanted = {"name": "careers", "kind": "mcp", "upstream_url": "https://mcp.example/mcp"}
    assert "name" in errors_of(api.post("backends/", wanted))
    assert api.post("backends/", wanted | {"name": "other"}).status_code == 201
    assert "name" in errors_of(api.post("servers/", {"name": "other"}))


def test_a_server_is_changed_and_removed_with_a_reason(api: Api) -> None:
    api.made("servers/", name="careers", operations=["jobs/search"])
    changed = api.patch("servers/careers/", {"title": "Careers", "operations": ["jobs/drop-jobs"]}).json()
    assert (changed["title"], changed["operations"]) == ("Careers", ["jobs/drop-jobs"])
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["operations", "title"]
    assert Resource.objects.get(path="/mcp/careers").title == "Careers"
    assert "X-Reason" in errors_of(api.patch("servers/careers/", {"enabled": False}))
    assert api.patch("servers/careers/", {"enabled": False}, **REASON).json()["enabled"] is False
    assert "X-Reason" in errors_of(api.delete("servers/careers/", **{"X-Reason": " "}))
    assert api.delete("servers/careers/", **REASON).status_code == 204
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED).note == REASON["X-Reason"]
    assert not Resource.objects.filter(path="/mcp/careers").exists()
    assert api.get("servers/careers/").status_code == 404


def test_what_it_offered_before_stays_though_it_is_no_tool_any_more(api: Api, operations: dict[str, Operation]) -> None:
    api.made("servers/", name="careers", operations=["jobs/search"])
    Operation.objects.filter(pk=operations["jobs/search"].pk).update(tool_name=None)
    both = ["jobs/search", "people/search"]
    assert api.patch("servers/careers/", {"operations": both}).json()["operations"] == both


def test_its_resource_says_what_it_needs_and_is_nobodys_to_take_away(api: Api) -> None:
    api.made("servers/", name="careers", operations=["jobs/drop-jobs"])
    (row,) = [each for each in api.get("resources/").json()["results"] if each["identifier"].endswith("/mcp/careers")]
    assert row["scopes"] == ["jobs:write"]
    assert api.delete(f"resources/{row['id']}/", **REASON).status_code == 409
    assert "identifier" in errors_of(api.patch(f"resources/{row['id']}/", {"identifier": f"{row['identifier']}2"}))


def test_an_operation_leaves_its_servers_when_it_goes(api: Api, operations: dict[str, Operation]) -> None:
    api.made("servers/", name="careers", operations=["jobs/search"])
    api.delete(f"operations/{operations['jobs/search'].pk}/", **REASON)
    assert api.get("servers/careers/").json()["operations"] == []


def test_pages_follow_the_names(api: Api) -> None:
    for name in ("c", "a", "b"):
        api.made("servers/", name=name)
    first = api.get("servers/", limit="2").json()
    assert [row["name"] for row in first["results"]] == ["a", "b"]
    assert [row["name"] for row in api.get(first["next"]).json()["results"]] == ["c"]
    assert "color" in errors_of(api.get("servers/", color="red"))


def test_who_may_look_may_not_write() -> None:
    looker = api_of("proxy.view_mcpserver")
    assert looker.get("servers/").status_code == 200
    assert looker.post("servers/", {"name": "careers"}).status_code == 403
