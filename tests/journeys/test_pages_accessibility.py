"""Every page people meet passes axe-core, fits 320 px, and can be used with a keyboard alone, scripts off."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from tests.environment import chromium
from tests.journeys.looks import ARGUMENTS, Look, Studio, asked_by, asked_by_gpt, fits, make_clients
from tests.journeys.server import free_port, running_demo
from tests.journeys.stores import services

pytestmark = pytest.mark.browser

LOOKS = {
    "desktop": Look(),
    "phone-dark-pt": Look(width=320, scheme="dark", locale="pt-BR"),
}
# Every rule of WCAG 2.2 A and AA, and what axe-core holds for good practice
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}

Opened = Callable[[Studio, Page], None]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A gateway of its own, where nobody else's sign-ins count, and one browser."""
    data_dir = tmp_path_factory.mktemp("pages")
    with services() as stores:
        variables = stores | {"OAUTH_RATES": "signin=600/m,authorize=600/m"}
        with running_demo(data_dir, port=free_port(), **variables) as demo, sync_playwright() as playwright:
            make_clients(data_dir, PUBLIC_BASE_URL=demo.issuer, **stores)
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            made = Studio(demo=demo, browser=browser)
            _connect(made)
            yield made
            browser.close()


def _connect(studio: Studio) -> None:
    """Ana has allowed the GPT to read, for good; that makes a second request a second one."""
    tab = studio.tab(Look(), "ana")
    tab.goto(studio.url(asked_by_gpt(studio.demo, scope="jobs:read applications:read")))
    tab.check("input[value=until-revoked]")
    tab.click("button[value=allow]")
    tab.wait_for_url("https://chatgpt.com/**")


def goto(path: str) -> Opened:
    """Open a page by its address."""
    return lambda studio, tab: _go(studio, tab, path)


def _go(studio: Studio, tab: Page, path: str) -> None:
    tab.goto(studio.url(path))


def fail_to_sign_in(studio: Studio, tab: Page, *, times: int = 1) -> None:
    """A wrong password."""
    tab.goto(studio.url("/accounts/login/"))
    for _ in range(times):
        # Whoever looks from another screen is not locked out yet
        tab.fill("input[name=username]", f"nobody-{times}-{tab.viewport_size}")
        tab.fill("input[name=password]", "wrong")
        tab.press("input[name=password]", "Enter")
        tab.wait_for_load_state()


def lock_out(studio: Studio, tab: Page) -> None:
    """The fifth wrong password."""
    fail_to_sign_in(studio, tab, times=5)
    assert tab.locator("input[name=password]").count() == 0


def ask_as_gpt(studio: Studio, tab: Page) -> None:
    """The GPT asks for more than it was given, and leaves out something it was given."""
    tab.goto(studio.url(asked_by_gpt(studio.demo, scope="jobs:read resume:read applications:write")))


def answer_twice(studio: Studio, tab: Page) -> None:
    """The consent form, sent once behind the page and once from it."""
    tab.goto(studio.url(asked_by("proven")))
    tab.evaluate(
        """async () => {
            const form = document.querySelector("button[value=deny]").form;
            const body = new URLSearchParams([...new FormData(form), ["decision", "deny"]]);
            await fetch(form.action, {method: "POST", body, redirect: "manual"});
        }"""
    )
    tab.click("button[value=deny]")
    tab.wait_for_url("**/oauth/authorize")


def open_connection(studio: Studio, tab: Page, *, page: str = "") -> None:
    """The connection of the GPT."""
    tab.goto(studio.url("/connected-apps/"))
    path = tab.locator("h2 a", has_text="Career Copilot").get_attribute("href")
    tab.goto(studio.url(f"{path}{page}"))


def add_client(studio: Studio, tab: Page) -> None:
    """A client is made in the admin: what follows is its setup sheet."""
    tab.goto(studio.url("/admin/oauth_provider/client/add/"))
    tab.fill("input[name=name]", f"Made at {tab.evaluate('Date.now()')}")
    tab.select_option("select[name=default_resource]", index=1)
    tab.locator("[name=_save]").first.click()
    tab.wait_for_selector("#values-title")


PAGES: dict[str, tuple[str, Opened]] = {
    "sign-in": ("", goto("/accounts/login/")),
    "sign-in-to-decide": ("", goto(asked_by("proven", login_hint="ana"))),
    "sign-in-refused": ("", fail_to_sign_in),
    "sign-in-once-more": ("bruno", goto(asked_by("proven", prompt="login"))),
    "locked-out": ("", lock_out),
    "consent-unverified-on-this-computer": ("ana", goto(asked_by("unverified"))),
    "consent-claimed-application": ("ana", goto(asked_by("claimed"))),
    "consent-proven-web": ("ana", goto(asked_by("proven"))),
    "consent-verified-second-request": ("ana", ask_as_gpt),
    "error-for-the-developer": ("ana", goto(asked_by("proven", redirect_uri="https://elsewhere.example/"))),
    "error-unknown-client": ("", goto("/oauth/authorize?client_id=nobody")),
    "error-answered-twice": ("bruno", answer_twice),
    "connected-apps": ("ana", goto("/connected-apps/")),
    "connected-apps-empty": ("bruno", goto("/connected-apps/")),
    "connection": ("ana", open_connection),
    "connection-revoke": ("ana", lambda studio, tab: open_connection(studio, tab, page="revoke/")),
    "not-found": ("ana", goto("/connected-apps/00000000-0000-0000-0000-000000000000/")),
    "admin-client-add": ("staff", goto("/admin/oauth_provider/client/add/")),
    "admin-setup-sheet": ("staff", add_client),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_and_nothing_is_cut_off(studio: Studio, tmp_path: Path, page: str, look: Look) -> None:
    person, opened = PAGES[page]
    tab = studio.tab(look, person)
    opened(studio, tab)
    tab.screenshot(path=tmp_path / f"{page}.png", full_page=True)
    fits(tab)
    found = Axe().run(tab, options=OPTIONS)
    assert not found.violations_count, found.generate_report()
    assert tab.locator("html").get_attribute("lang") == look.locale.lower()
