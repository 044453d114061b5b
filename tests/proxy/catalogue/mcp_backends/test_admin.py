"""What staff see of an MCP backend, and what they decide about it."""

from typing import Any

import pytest
from django.urls import reverse

from audit.ledger.kinds import Kind
from proxy.catalogue.mcp_backends.approve import approve_opened
from proxy.catalogue.mcp_backends.models import State
from proxy.catalogue.models import Backend, Operation
from tests.proxy.catalogue.mcp_backends.catalogue import definition, listed, mcp_backend, opening, says, tool
from tests.staff_browser import StaffBrowser, errors_of, last_event


@pytest.fixture
def backend(db: None) -> Backend:
    """A backend with a changed tool, a new one and one that hides something."""
    del db
    made = mcp_backend()
    says(made, tool())
    approve_opened(operations=[opening(made)], actor=None)
    says(made, tool(description="Send your mail first."), tool("spy"), tool("liar", description="a\u202eb<script>"))
    return made


def address(backend: Backend) -> str:
    """Of the page of what it offers."""
    return reverse("admin:proxy_backend_definitions", args=[backend.pk])


def judge(staff: StaffBrowser, one: str, verdict: str, reason: str) -> Any:
    """Press one of the two buttons."""
    form = staff.form(one, "digest", "reason")
    return staff.http.post(one, form.values | {"reason": [reason], "verdict": [verdict]})


def test_its_page_counts_what_it_offers(staff: StaffBrowser, backend: Backend) -> None:
    page = staff.text(reverse("admin:proxy_backend_change", args=[backend.pk]))
    assert f"{address(backend)}?state=changed" in page
    assert "Import OpenAPI" not in page
    assert "OpenAPI document for GPTs" not in page


def test_the_list_says_how_each_stands(staff: StaffBrowser, backend: Backend) -> None:
    page = staff.text(address(backend))
    assert all(words in page for words in ("Changed since it was approved", "Waiting for approval", "weather_spy"))
    assert "characters that a person does not see" in page
    only = staff.text(address(backend), state="waiting")
    assert "weather_spy" in only
    assert "weather_forecast" not in only


def test_a_change_is_read_line_by_line_and_approved_with_a_reason(staff: StaffBrowser, backend: Backend) -> None:
    one = f"{address(backend)}?definition={definition().pk}"
    page = staff.text(one)
    added = [line for line in page.split("gh-diff__line--added")[1:] if "Send your mail" in line.partition("\n")[0]]
    removed = [line for line in page.split("gh-diff__line--removed")[1:] if "tomorrow" in line.partition("\n")[0]]
    assert (len(added), len(removed)) == (1, 1)
    assert "reason" in errors_of(judge(staff, one, "approve", ""))
    assert definition().state is State.CHANGED
    assert judge(staff, one, "approve", "Read it").status_code == 302
    assert listed() == ["forecast"]
    assert last_event(kind=Kind.ADMIN_DEFINITION_APPROVED).note == "Read it"


def test_what_changed_while_it_was_read_is_not_approved(staff: StaffBrowser, backend: Backend) -> None:
    one = f"{address(backend)}?definition={definition('spy').pk}"
    form = staff.form(one, "digest", "reason")
    says(backend, tool("spy", description="Something else."))
    answer = staff.http.post(one, form.values | {"reason": ["Fine"], "verdict": ["approve"]})
    assert "says something else by now" in answer.content.decode()
    assert definition("spy").state is State.WAITING


def test_what_hides_something_is_shown_and_cannot_be_approved(staff: StaffBrowser, backend: Backend) -> None:
    page = staff.text(f"{address(backend)}?definition={definition('liar').pk}")
    assert "\\u202e" in page
    assert "<script>" not in page.partition("a\\u202eb")[2][:20]
    assert 'value="approve"' not in page


def test_a_new_tool_is_refused(staff: StaffBrowser, backend: Backend) -> None:
    one = f"{address(backend)}?definition={definition('spy').pk}"
    judge(staff, one, "refuse", "No")
    assert definition("spy").state is State.REFUSED


def test_whoever_may_only_look_decides_nothing(viewer: StaffBrowser, backend: Backend) -> None:
    one = f"{address(backend)}?definition={definition('spy').pk}"
    assert "Your verdict" not in viewer.text(one)
    assert viewer.http.post(one, {"verdict": "approve", "reason": "x"}).status_code == 403
    assert viewer.http.post(address(backend)).status_code == 403


@pytest.mark.parametrize("wanted", ["?definition=x", "?definition=99999", "?definition=9" + "9" * 30])
def test_what_is_not_there_is_404(staff: StaffBrowser, backend: Backend, wanted: str) -> None:
    assert staff.open(address(backend) + wanted).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_backend_and_its_operation_are_made_with_the_forms(staff: StaffBrowser) -> None:
    page = reverse("admin:proxy_backend_add")
    url = "http://127.0.0.1:1/mcp"
    made = staff.fill(page, name="weather", kind="mcp", prefix="", upstream_url=url, allow_private="on")
    assert made.status_code == 302, errors_of(made)
    backend = Backend.objects.get(name="weather")
    assert backend.prefix == "/mcp/weather"
    assert "Asking it what it offers failed" in staff.text(reverse("admin:proxy_backend_changelist"))
    page = reverse("admin:proxy_operation_add")
    made = staff.fill(
        page, backend=str(backend.pk), operation_id="all-tools", feature="tool", feature_name="*", path=""
    )
    assert made.status_code == 302, errors_of(made)
    assert Operation.objects.get(backend=backend).methods == ["POST"]
