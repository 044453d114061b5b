"""Staff find every step in the audit log, and cannot change it."""

import httpx
import pytest

from tests.journeys import steps
from tests.journeys.pages import Browser
from tests.journeys.server import Demo

LOG = "/admin/audit/event/"
STEPS = [
    "account:signin:succeeded",
    "oauth:authorization:shown",
    "oauth:authorization:allowed",
    "oauth:token:issued",
    "oauth:token:refreshed",
    "proxy:call:decided",
    "oauth:connection:revoked",
]


@pytest.fixture(scope="module")
def travelled(demo: Demo, ana: Browser) -> steps.Tokens:
    """Ana's whole road once: connect, refresh, call, revoke."""
    first = steps.connect_gpt(demo, ana)
    tokens = steps.tokens_of(steps.refresh(demo, demo.client("gpt"), first.refresh))
    httpx.get(f"{demo.issuer}/api/v1/gpt/jobs/search?keywords=secretword", headers=tokens.header, timeout=20)
    steps.revoke(ana, steps.connection_path(ana, "Career Copilot"))
    return tokens


@pytest.mark.usefixtures("travelled")
@pytest.mark.parametrize("kind", STEPS)
def test_step_is_listed(staff: Browser, kind: str) -> None:
    assert kind in rows(staff, f"?kind={kind}")


@pytest.mark.usefixtures("travelled")
def test_denied_decisions_can_be_singled_out(demo: Demo, staff: Browser) -> None:
    httpx.get(f"{demo.issuer}/api/v1/gpt/jobs/search", timeout=20)
    assert "proxy:call:decided" in rows(staff, "?decision=deny&kind=proxy:call:decided")


def test_log_is_found_by_user(staff: Browser, travelled: steps.Tokens) -> None:
    assert travelled.access
    assert "proxy:call:decided" in rows(staff, "?q=user_2abc&kind=proxy:call:decided")
    assert "proxy:call:decided" not in rows(staff, "?q=user_nobody&kind=proxy:call:decided")


def test_log_is_found_by_client(demo: Demo, staff: Browser, travelled: steps.Tokens) -> None:
    assert travelled.access
    assert "oauth:token:issued" in rows(staff, f"?q={demo.client('gpt')['client_id']}&kind=oauth:token:issued")


def test_log_holds_no_token_and_no_query_value(staff: Browser, travelled: steps.Tokens) -> None:
    page = staff.open(LOG)
    assert travelled.access not in page.response.text
    assert "secretword" not in page.response.text


@pytest.mark.usefixtures("travelled")
def test_an_event_can_be_read_but_not_changed(staff: Browser) -> None:
    page = staff.open(first_event(staff))
    assert page.status == 200
    assert not [form for form in page.forms if form.named("_save")]


@pytest.mark.usefixtures("travelled")
@pytest.mark.parametrize("page", ["change/", "delete/"])
def test_writing_to_an_event_is_forbidden(demo: Demo, staff: Browser, page: str) -> None:
    form_page = staff.open("/admin/")
    form = form_page.form_with("csrfmiddlewaretoken")
    form.action = first_event(staff).replace("change/", page)
    answer = staff.submit(form_page, form, [("post", "yes"), ("reason", "x")])
    assert answer.status == 403
    assert demo.issuer


def test_no_event_can_be_added(staff: Browser) -> None:
    assert staff.open(f"{LOG}add/").status == 403


@pytest.mark.usefixtures("travelled")
def test_people_who_are_not_staff_do_not_get_in(ana: Browser) -> None:
    page = ana.open(LOG)
    assert "proxy:call:decided" not in page.text


def rows(staff: Browser, query: str) -> str:
    """The table of the log under `query`, as text; the filters around it name every kind, so they are left out."""
    page = staff.open(f"{LOG}{query}")
    assert page.status == 200, page.text[:500]
    return page.response.text.partition('id="result_list"')[2].partition("</table>")[0]


def first_event(staff: Browser) -> str:
    """The address of the newest event."""
    links = [link for link in staff.open(LOG).links if link.startswith(LOG) and "/change/" in link]
    assert links, "the log is empty"
    return links[0].partition("?")[0]
