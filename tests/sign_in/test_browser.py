"""Sign in with the company's provider, in Chromium: from a client's request to a call, and out again."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, Route

from tests.journeys import steps
from tests.journeys.steps import Tokens
from tests.sign_in.conftest import Company

pytestmark = [pytest.mark.browser, pytest.mark.node]

CALLBACK = re.compile(r"https://chatgpt\.com/")


def answer_as_chatgpt(route: Route) -> None:
    """Stand in for the client's callback."""
    route.fulfill(status=200, content_type="text/html", body="<h1>Connected</h1>")


def identify(tab: Page, subject: str, *, grants: bool = True) -> None:
    """Sign in at the provider's own form; the first time it asks whether the gateway may know who she is."""
    tab.fill("input[name=login]", subject)
    tab.fill("input[name=password]", "any")
    tab.click("button[type=submit]")
    if grants:
        tab.click("button[type=submit]")


def allow(tab: Page) -> str:
    """Tick everything on the consent page; the code the client gets."""
    tab.wait_for_selector("button[value=allow]")
    for box in tab.query_selector_all("input[name=scope]"):
        box.set_checked(True)
    tab.click("button[value=allow]")
    tab.wait_for_url(CALLBACK)
    return parse_qs(urlsplit(tab.url).query)["code"][0]


def connect(company: Company, tab: Page, subject: str) -> Tokens:
    """Everything between a GPT's link and its tokens."""
    tab.route(CALLBACK, answer_as_chatgpt)
    asked = steps.ask_as_gpt(company.demo)
    tab.goto(f"{company.demo.issuer}{asked.url}")
    identify(tab, subject)
    return steps.tokens_of(steps.exchange(company.demo, asked, allow(tab)))


def test_from_a_clients_request_to_a_call_made_for_her(company: Company, tab: Page, tmp_path: Path) -> None:
    tokens = connect(company, tab, "u-maria")
    echo = httpx.get(f"{company.demo.issuer}/api/v1/gpt/applications", headers=tokens.header)
    assert echo.status_code == 200, echo.text
    print(f"screenshots in {tmp_path}")
