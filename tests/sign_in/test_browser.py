"""Sign in with the company's provider, in Chromium: from a client's request to a call, and out again."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route

from tests.journeys import steps
from tests.journeys.steps import Tokens
from tests.oauth_provider.webhooks.identity.sender import sign
from tests.sign_in.conftest import SECRET, Company

# With the services, so that the quick suite stays quick
pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.services]

CALLBACK = re.compile(r"https://chatgpt\.com/")


def answer_as_chatgpt(route: Route) -> None:
    """Stand in for the client's callback."""
    route.fulfill(status=200, content_type="text/html", body="<h1>Connected</h1>")


def identify(tab: Page, subject: str) -> None:
    """Sign in at the provider's own form; where it asks whether the gateway may know who she is, say yes."""
    tab.fill("input[name=login]", subject)
    tab.fill("input[name=password]", "any")
    tab.click("button[type=submit]")
    grant(tab)


def grant(tab: Page) -> None:
    """Answer the provider's question, if it asks."""
    if "/interaction/" in tab.url and tab.locator("input[name=login]").count() == 0:
        tab.click("button[type=submit]")


def ask(company: Company, tab: Page, **changes: str) -> steps.Asked:
    """Follow a GPT's link."""
    tab.route(CALLBACK, answer_as_chatgpt)
    asked = steps.ask_as_gpt(company.demo)
    extra = "".join(f"&{name}={value}" for name, value in changes.items())
    tab.goto(f"{company.demo.issuer}{asked.url}{extra}")
    return asked


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
    asked = ask(company, tab)
    identify(tab, subject)
    return steps.tokens_of(steps.exchange(company.demo, asked, allow(tab)))


def call(company: Company, tokens: Tokens) -> httpx.Response:
    """What the application does for her."""
    return httpx.get(f"{company.demo.issuer}/api/v1/gpt/applications", headers=tokens.header, timeout=20)


def tell(company: Company, kind: str, subject: str) -> int:
    """A lifecycle message of the provider about her; its status."""
    body = f'{{"type": "{kind}", "data": {{"id": "{subject}"}}}}'.encode()
    name, at = f"msg_{time.monotonic_ns()}", str(int(time.time()))
    headers = {"svix-id": name, "svix-timestamp": at, "svix-signature": sign(SECRET, name, at, body)}
    return httpx.post(f"{company.demo.issuer}/webhooks/identity", content=body, headers=headers, timeout=20).status_code


@pytest.fixture
def another_tab(chrome: Browser) -> Iterator[Callable[[], Page]]:
    """Tabs of further people, or of the same one at another computer."""
    contexts = []

    def open_tab() -> Page:
        contexts.append(chrome.new_context(java_script_enabled=False))
        return contexts[-1].new_page()

    yield open_tab
    for context in contexts:
        context.close()


def whoami(company: Company, tab: Page) -> str:
    """Who the consent page says is signed in."""
    ask(company, tab)
    return tab.locator("strong bdi").first.inner_text()


def test_from_a_clients_request_to_a_call_and_out_again(company: Company, tab: Page, tmp_path: Path) -> None:
    blocked: list[str] = []
    tab.on("console", lambda message: blocked.append(message.text) if "Security Policy" in message.text else None)
    tokens = connect(company, tab, "u-maria")
    assert call(company, tokens).status_code == 200
    # Signed in: the next request goes to the consent page at once
    assert whoami(company, tab) == "maria"
    tab.goto(f"{company.demo.issuer}/connected-apps/")
    tab.click("header form button")
    # On to the provider, which asks whether she means it, and back to a page that does not sign her in by itself
    tab.wait_for_url(re.compile(f"{re.escape(company.provider.issuer)}/.*"))
    tab.click("button[value=yes]")
    tab.wait_for_url(f"{company.demo.issuer}/accounts/login/")
    tab.screenshot(path=tmp_path / "signed-out.png", full_page=True)
    assert tab.locator("a.button", has_text="Continue with Acme").count() == 1
    # Signed out at the provider too: it asks for the password
    tab.click("a.button")
    assert tab.locator("input[name=login]").count() == 1
    assert not blocked
    print(f"screenshots in {tmp_path}")


def test_the_second_time_she_is_the_same_person_and_somebody_else_is_not(
    company: Company, tab: Page, another_tab: Callable[[], Page]
) -> None:
    connect(company, tab, "u-joao")
    again = another_tab()
    ask(company, again)
    identify(again, "u-joao")
    again.goto(f"{company.demo.issuer}/connected-apps/")
    assert "Career Copilot" in again.content()
    other = another_tab()
    ask(company, other)
    identify(other, "u-lena")
    other.goto(f"{company.demo.issuer}/connected-apps/")
    assert "Career Copilot" not in other.content()


def test_a_client_that_wants_a_new_sign_in_gets_one(company: Company, tab: Page) -> None:
    ask(company, tab)
    identify(tab, "u-lena")
    tab.wait_for_selector("button[value=allow]")
    ask(company, tab, prompt="login")
    assert tab.locator("input[name=login]").count() == 1
    identify(tab, "u-lena")
    tab.wait_for_selector("button[value=allow]")


def test_a_client_that_minds_how_old_it_is_gets_a_new_one_when_it_is_older(company: Company, tab: Page) -> None:
    ask(company, tab, max_age="600")
    identify(tab, "u-lena")
    tab.wait_for_selector("button[value=allow]")
    ask(company, tab, max_age="600")
    tab.wait_for_selector("button[value=allow]")
    # The provider counts whole seconds
    time.sleep(2.5)
    ask(company, tab, max_age="1", nonce="another")
    assert tab.locator("input[name=login]").count() == 1


def test_an_address_somebody_else_has_links_nothing(
    company: Company, tab: Page, another_tab: Callable[[], Page], tmp_path: Path
) -> None:
    hers = another_tab()
    ask(company, hers)
    identify(hers, "u-lena")
    ask(company, tab)
    identify(tab, "u-taken")
    assert "not connected to one here" in tab.content()
    assert "acme.example" not in tab.content()
    tab.goto(f"{company.demo.issuer}/connected-apps/")
    assert "not connected to one here" in tab.content()
    tab.screenshot(path=tmp_path / "not-connected.png", full_page=True)


def test_whoever_is_gone_is_stopped_within_a_second(company: Company, tab: Page, tmp_path: Path) -> None:
    tokens = connect(company, tab, "u-gone")
    assert call(company, tokens).status_code == 200
    assert tell(company, "user.banned", "u-gone") == 204
    assert steps.refused_after_s(lambda: call(company, tokens)) < 1
    tab.goto(f"{company.demo.issuer}/connected-apps/")
    # The provider still knows her; she is refused here
    grant(tab)
    assert "switched off" in tab.content()
    tab.screenshot(path=tmp_path / "switched-off.png", full_page=True)
    assert tell(company, "user.unbanned", "u-gone") == 204
    tab.goto(f"{company.demo.issuer}/connected-apps/")
    assert "Career Copilot" in tab.content()
    assert call(company, tokens).status_code == 401
