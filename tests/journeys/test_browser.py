"""The pages in a real browser with scripts off: what the content security policy blocks, only a browser shows."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from tests.chrome import chrome_running
from tests.journeys import steps
from tests.journeys.server import Demo

pytestmark = [pytest.mark.browser, pytest.mark.services]


@pytest.fixture(scope="module", params=["desktop light", "phone dark"])
def tab(request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab without scripts; ChatGPT's callback is answered here, nothing else leaves the machine."""
    phone = request.param == "phone dark"
    with chrome_running() as browser:
        context = browser.new_context(
            java_script_enabled=False,
            viewport={"width": 360, "height": 740} if phone else {"width": 1280, "height": 900},
            color_scheme="dark" if phone else "light",
        )
        page = context.new_page()
        page.route("https://chatgpt.com/**", answer_as_chatgpt)
        yield page


def answer_as_chatgpt(route: Route) -> None:
    """Stand in for the client's callback."""
    route.fulfill(status=200, content_type="text/html", body="<h1>Connected</h1>")


def test_sign_in_consent_connected_apps_and_revoke(demo: Demo, tab: Page, tmp_path: Path) -> None:
    blocked: list[str] = []
    tab.on("console", lambda message: blocked.append(message.text) if message.type == "error" else None)
    sign_in_and_allow(demo, tab, tmp_path)
    assert re.match(r"https://chatgpt\.com/aip/g-demo/oauth/callback\?code=.+", tab.url)
    revoke(demo, tab, tmp_path)
    assert not blocked
    print(f"screenshots in {tmp_path}")


def sign_in_and_allow(demo: Demo, tab: Page, shots: Path) -> None:
    """From the GPT's link to its callback, one permission left unticked."""
    ana = demo.user("ana")
    tab.goto(f"{demo.issuer}{steps.ask_as_gpt(demo).url}")
    tab.screenshot(path=shots / "1-sign-in.png", full_page=True)
    tab.fill("input[name=username]", ana["username"])
    tab.fill("input[name=password]", ana["password"])
    tab.click("main button[type=submit], main form button")
    tab.wait_for_selector("button[value=allow]")
    tab.set_checked("input[value='jobs:read']", True)
    tab.set_checked("input[value='resume:read']", False)
    fits(tab)
    tab.screenshot(path=shots / "2-consent.png", full_page=True)
    tab.click("button[value=allow]")
    tab.wait_for_url("https://chatgpt.com/**")


def revoke(demo: Demo, tab: Page, shots: Path) -> None:
    """From Connected Apps to the list without the app."""
    tab.goto(f"{demo.issuer}/connected-apps/")
    fits(tab)
    tab.screenshot(path=shots / "3-connected-apps.png", full_page=True)
    tab.locator("a[href^='/connected-apps/']", has_text=re.compile("Career Copilot|Details")).first.click()
    fits(tab)
    tab.screenshot(path=shots / "4-detail.png", full_page=True)
    tab.goto(tab.url.rstrip("/") + "/revoke/")
    tab.screenshot(path=shots / "5-revoke.png", full_page=True)
    tab.click("main form[method=post] button[type=submit], main form[method=post] button:not([type])")
    tab.wait_for_url(f"{demo.issuer}/connected-apps/**")
    tab.screenshot(path=shots / "6-revoked.png", full_page=True)


def fits(tab: Page) -> None:
    """Nothing is wider than the screen."""
    too_wide = tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not too_wide, f"{tab.url} scrolls sideways"
