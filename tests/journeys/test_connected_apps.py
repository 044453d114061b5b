"""What the person sees of it, and how she stops it."""

import httpx
import pytest

from tests.journeys import steps
from tests.journeys.pages import Browser
from tests.journeys.server import Demo

REVOKED_WITHIN_S = 1.0


@pytest.fixture
def connected(demo: Demo, ana: Browser) -> steps.Tokens:
    """Tokens of the GPT ana connected, used once."""
    tokens = steps.connect_gpt(demo, ana)
    assert call(demo, tokens).status_code == 200
    return tokens


def call(demo: Demo, tokens: steps.Tokens) -> httpx.Response:
    """Search jobs once."""
    return httpx.get(f"{demo.issuer}/api/v1/gpt/jobs/search?keywords=go", headers=tokens.header, timeout=20)


@pytest.mark.usefixtures("connected")
def test_list_shows_the_app(ana: Browser) -> None:
    assert "Career Copilot" in ana.open("/connected-apps/").text


@pytest.mark.usefixtures("connected")
def test_detail_shows_permissions_and_last_calls(ana: Browser) -> None:
    page = ana.open(steps.connection_path(ana, "Career Copilot"))
    assert page.status == 200
    assert "chatgpt.com" in page.text
    assert "/jobs/search" in page.text or "search" in page.text.lower()


def test_signed_out_people_are_sent_to_sign_in(demo: Demo) -> None:
    with Browser(demo.issuer) as stranger:
        page = stranger.open("/connected-apps/")
    assert page.form_with("password").method == "post"


@pytest.mark.usefixtures("connected")
def test_bruno_sees_nothing_of_it(ana: Browser, bruno: Browser) -> None:
    # He may have one of his own with the same program
    path = steps.connection_path(ana, "Career Copilot")
    assert not [link for link in bruno.open("/connected-apps/").links if path in link]


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("page", ["", "revoke/"])
def test_bruno_gets_404_at_her_address(ana: Browser, bruno: Browser, page: str) -> None:
    path = steps.connection_path(ana, "Career Copilot")
    assert bruno.open(f"{path}{page}").status == 404


def test_bruno_cannot_revoke_it(demo: Demo, ana: Browser, bruno: Browser, connected: steps.Tokens) -> None:
    path = steps.connection_path(ana, "Career Copilot")
    page = ana.open(f"{path}revoke/")
    form = next(form for form in page.forms if form.method == "post" and "logout" not in form.action)
    theirs = bruno.open("/connected-apps/").form_with("csrfmiddlewaretoken").named("csrfmiddlewaretoken")[0].value
    assert bruno.submit(page, form, [("csrfmiddlewaretoken", theirs)]).status == 404
    assert call(demo, connected).status_code == 200


def test_revoking_refuses_the_next_call_within_a_second(demo: Demo, ana: Browser, connected: steps.Tokens) -> None:
    steps.revoke(ana, steps.connection_path(ana, "Career Copilot"))
    took = steps.refused_after_s(lambda: call(demo, connected))
    print(f"revoked, refused after {took * 1000:.0f} ms")
    assert took < REVOKED_WITHIN_S


def test_revoking_ends_the_refresh_token(demo: Demo, ana: Browser, connected: steps.Tokens) -> None:
    steps.revoke(ana, steps.connection_path(ana, "Career Copilot"))
    answer = steps.refresh(demo, demo.client("gpt"), connected.refresh)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_revoking_kills_a_code_that_is_under_way(demo: Demo, ana: Browser, connected: steps.Tokens) -> None:
    asked = steps.ask_as_gpt(demo)
    code = steps.decide(ana, ana.open(asked.url))["code"]
    steps.revoke(ana, steps.connection_path(ana, "Career Copilot"))
    assert steps.exchange(demo, asked, code).json()["error"] == "invalid_grant"
    assert connected.access


def test_client_may_revoke_its_own_token(demo: Demo, connected: steps.Tokens) -> None:
    client = demo.client("gpt")
    fields = {"token": connected.refresh, "client_id": client["client_id"], "client_secret": client["client_secret"]}
    assert httpx.post(f"{demo.issuer}/oauth/revoke", data=fields, timeout=20).status_code == 200
    assert steps.refused_after_s(lambda: call(demo, connected)) < REVOKED_WITHIN_S
