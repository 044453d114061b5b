"""Servers in the admin: made by search, shown as clients will see them, changed with a reason, removed."""

import json

import pytest

from audit.ledger.kinds import Kind
from proxy.catalogue.models import Operation
from proxy.catalogue.servers.models import McpServer
from proxy.catalogue.servers.save import save_server
from tests.staff_browser import StaffBrowser, errors_of, last_event

SERVERS = "/admin/proxy/mcpserver/"


@pytest.fixture
def server(operations: dict[str, Operation]) -> McpServer:
    """One with two tools."""
    made = McpServer(name="careers", title="Careers")
    chosen = [operations[name] for name in ("jobs/search", "people/drop-people")]
    save_server(server=made, actor=None, operations=chosen)
    return made


def test_a_server_is_made_and_listed(staff: StaffBrowser, operations: dict[str, Operation]) -> None:
    chosen = [str(operations[name].pk) for name in ("jobs/search", "jobs/drop-jobs")]
    staff.fill(f"{SERVERS}add/", name="careers", instructions="Look first.", operations=chosen)
    made = McpServer.objects.get()
    assert set(made.operations.all()) == {operations["jobs/search"], operations["jobs/drop-jobs"]}
    assert last_event(kind=Kind.ADMIN_OBJECT_ADDED).target == "server:careers"
    assert "/mcp/careers" in staff.text(SERVERS)
    assert "/mcp/careers" in staff.text(SERVERS, q="drop-jobs")
    assert "Nothing fits the search" in staff.text(SERVERS, q="nothing")
    assert "Nothing fits the search" in staff.text(SERVERS, enabled__exact="0")


def test_operations_are_found_under_their_backends(staff: StaffBrowser, operations: dict[str, Operation]) -> None:
    del operations
    query = {"app_label": "proxy", "model_name": "mcpserver", "field_name": "operations", "term": "search"}
    found = json.loads(staff.text("/admin/autocomplete/", **query))["results"]
    # That of a public backend is no tool
    assert [each["text"] for each in found] == ["jobs/search", "people/search"]


def test_its_page_shows_what_people_paste_and_what_clients_see(staff: StaffBrowser, server: McpServer) -> None:
    page = staff.text(f"{SERVERS}{server.pk}/change/")
    assert 'value="http' in page
    assert '/mcp/careers"' in page
    for words in ("jobs:read", "jobs:write", "drop-people", "Destroys", "Reads"):
        assert words in page
    Operation.objects.filter(operation_id="drop-people").update(enabled=False)
    page = staff.text(f"{SERVERS}{server.pk}/change/")
    assert "1 chosen operation is left out" in page
    assert "jobs:write" not in page


def test_a_change_of_its_tools_needs_a_reason(
    staff: StaffBrowser, server: McpServer, operations: dict[str, Operation]
) -> None:
    page, chosen = f"{SERVERS}{server.pk}/change/", [str(operations["jobs/search"].pk)]
    assert "reason" in errors_of(staff.fill(page, operations=chosen))
    staff.fill(page, operations=chosen, reason="Nobody drops people.")
    assert list(server.operations.all()) == [operations["jobs/search"]]
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert (event.fields, event.note) == (["operations"], "Nobody drops people.")
    staff.fill(page, title="Jobs")
    assert McpServer.objects.get().title == "Jobs"


def test_what_cannot_be_is_refused_by_field(staff: StaffBrowser, operations: dict[str, Operation]) -> None:
    add = f"{SERVERS}add/"
    assert "name" in errors_of(staff.fill(add, name="Careers"))
    public = Operation.objects.get(operation_id="drop-open")
    assert "operations" in errors_of(staff.fill(add, name="careers", operations=[str(public.pk)]))
    del operations


def test_a_server_is_removed_with_a_reason(staff: StaffBrowser, server: McpServer) -> None:
    staff.fill(f"{SERVERS}{server.pk}/delete/", reason="Nobody uses it.")
    assert not McpServer.objects.exists()
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED).note == "Nobody uses it."


def test_the_number_of_statements_does_not_depend_on_the_tools(
    staff: StaffBrowser, server: McpServer, django_assert_max_num_queries: object
) -> None:
    template = server.operations.first()
    assert template is not None
    for number in range(30):
        operation = Operation(
            backend=template.backend, operation_id=f"x{number}", methods=["GET"], path=f"/x{number}",
            scopes=["jobs:read"], tool_name=f"x{number}",
        )  # fmt: skip
        operation.save()
        server.operations.add(operation)
    with django_assert_max_num_queries(25):  # type: ignore[operator]  # of pytest-django, untyped
        staff.text(f"{SERVERS}{server.pk}/change/")
