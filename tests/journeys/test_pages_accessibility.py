"""Every page people meet passes axe-core, fits 320 px, and can be used with a keyboard alone, scripts off."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has none
from playwright.sync_api import Page

from tests.chrome import chrome_running
from tests.journeys import steps
from tests.journeys.looks import Look, NativeApp, Studio, asked_by, asked_by_gpt, fits, make_clients
from tests.journeys.pages import Browser
from tests.journeys.server import free_port, running_demo
from tests.journeys.stores import services

# Two minutes of a browser: on the build server, not before every commit
pytestmark = [pytest.mark.browser, pytest.mark.services]

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
        with running_demo(data_dir, port=free_port(), **variables) as demo, chrome_running() as browser:
            make_clients(data_dir, PUBLIC_BASE_URL=demo.issuer, **stores)
            made = Studio(demo=demo, browser=browser)
            _connect(made)
            yield made


def _connect(studio: Studio) -> None:
    """Ana has allowed the GPT to read, for good; that makes a second request a second one."""
    with Browser(studio.demo.issuer) as ana:
        steps.sign_in(ana, studio.demo.user("ana"))
        page = ana.open(asked_by_gpt(studio.demo, scope="jobs:read applications:read"))
        answers = [("scope", "jobs:read"), ("scope", "applications:read")]
        answers += [("duration", "until-revoked"), ("decision", "allow")]
        assert "code" in steps.returned(ana.submit(page, page.form_with("decision"), answers))


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


def type_unknown_code(studio: Studio, tab: Page) -> None:
    """A code that no device shows."""
    tab.goto(studio.url("/device"))
    tab.fill("input[name=user_code]", "BCDF-GHJK")
    tab.press("input[name=user_code]", "Enter")
    tab.wait_for_selector("#problem")


def ask_by_device(studio: Studio, tab: Page) -> None:
    """A device asks from elsewhere, and its code is typed here."""
    form = {"client_id": "helper-unverified", "scope": "openid offline_access jobs:read applications:write"}
    answer = httpx.post(studio.url("/oauth/device_authorization"), data=form, trust_env=False)
    tab.goto(studio.url("/device"))
    tab.fill("input[name=user_code]", answer.json()["user_code"])
    tab.press("input[name=user_code]", "Enter")
    tab.wait_for_selector("button[value=allow]")


def add_client(studio: Studio, tab: Page) -> None:
    """A client is made in the admin: what follows is its setup sheet."""
    tab.goto(studio.url("/admin/oauth_provider/client/add/"))
    tab.fill("input[name=name]", f"Made at {tab.evaluate('Date.now()')}")
    tab.select_option("select[name=default_resource]", index=1)
    tab.locator("[name=_save]").first.click()
    tab.wait_for_selector("#values-title")


def compare_document(studio: Studio, tab: Page) -> None:
    """An OpenAPI document is given to a backend: what follows says what it changes."""
    tab.goto(studio.url("/admin/proxy/backend/1/openapi/"))
    paths = {"/jobs/search": {"get": {"summary": "Other words"}}, "/a{b}": {"get": {}}, "/new": {"delete": {}}}
    tab.fill("textarea[name=text]", json.dumps({"openapi": "3.1.0", "paths": paths}))
    tab.locator("form:has(textarea[name=text]) button[type=submit]").click()
    tab.wait_for_selector("#agree-title")


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
    "consent-who-you-are": ("ana", goto(asked_by("proven", scope="openid email profile offline_access"))),
    "device": ("ana", goto("/device")),
    "device-by-link": ("ana", goto("/device?user_code=bcdfghjk")),
    "device-unknown": ("ana", type_unknown_code),
    "consent-device": ("ana", ask_by_device),
    "device-connected": ("ana", goto("/device/connected")),
    "device-denied": ("ana", goto("/device/denied")),
    "connected-apps": ("ana", goto("/connected-apps/")),
    "connected-apps-empty": ("bruno", goto("/connected-apps/")),
    "connection": ("ana", open_connection),
    "connection-revoke": ("ana", lambda studio, tab: open_connection(studio, tab, page="revoke/")),
    "not-found": ("ana", goto("/connected-apps/00000000-0000-0000-0000-000000000000/")),
    "admin-client-add": ("staff", goto("/admin/oauth_provider/client/add/")),
    "admin-setup-sheet": ("staff", add_client),
    "admin-mcp-server-add": ("staff", goto("/admin/proxy/mcpserver/add/")),
    "admin-page-for-tools": ("staff", goto("/admin/proxy/uiresource/1/change/")),
    "admin-openapi-import": ("staff", goto("/admin/proxy/backend/1/openapi/")),
    "admin-openapi-differences": ("staff", compare_document),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_and_nothing_is_cut_off(studio: Studio, page: str, look: Look) -> None:
    person, opened = PAGES[page]
    tab = studio.tab(look, person)
    opened(studio, tab)
    fits(tab)
    found = Axe().run(tab, options=OPTIONS)
    assert not found.violations_count, found.generate_report()
    assert tab.locator("html").get_attribute("lang") == look.locale.lower()


PHONE = Look(width=320, scheme="dark", locale="pt-BR", scripts=False)


def focused(tab: Page) -> str:
    """What has the focus, by the name it is sent under and its value; visibly marked, or the test fails."""
    name, outline, height = tab.evaluate(
        """() => {
            const it = document.activeElement, style = getComputedStyle(it);
            return [`${it.name || it.tagName} ${it.value || it.textContent.trim()}`, style.outlineStyle,
                    (it.closest("label, a, button, summary") || it).getBoundingClientRect().height];
        }"""
    )
    assert outline != "none", f"{name} does not show that it has the focus"
    assert height >= 24, f"{name} is too small a target"
    return str(name)


def press_until(tab: Page, key: str, wanted: str) -> list[str]:
    """Press `key` until `wanted` has the focus; everything that had it on the way."""
    stops: list[str] = []
    for _ in range(30):
        tab.keyboard.press(key)
        stops.append(focused(tab))
        if stops[-1] == wanted:
            return stops
    raise AssertionError(f"{wanted} is never reached: {stops}")


@pytest.fixture
def native_app() -> Iterator[NativeApp]:
    """A program on this computer that waits for its code on a port of its own."""
    app = NativeApp()
    yield app
    app.close()


def test_a_keyboard_is_enough_from_sign_in_to_revoking_scripts_off(studio: Studio, native_app: NativeApp) -> None:
    tab = studio.tab(PHONE)
    bruno = studio.demo.user("bruno")
    tab.goto(studio.url(asked_by("unverified", redirect_uri=native_app.address, login_hint="bruno")))
    press_until(tab, "Tab", "username bruno")
    tab.keyboard.press("Tab")
    tab.keyboard.type(bruno["password"])
    tab.keyboard.press("Enter")
    tab.wait_for_selector("button[value=allow]")
    choose_with_the_keyboard(tab)
    tab.wait_for_url(f"{native_app.address}?*")
    assert "code=" in native_app.called[0]
    tab.goto(studio.url("/connected-apps/"))
    fits(tab)
    assert "Candidatar-se em seu nome" in tab.content()
    press_until(tab, "Tab", "A Revogar acesso")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/revoke/")
    press_until(tab, "Tab", "BUTTON Revogar acesso")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("[role=status]")
    assert tab.locator("article").count() == 0


def choose_with_the_keyboard(tab: Page) -> None:
    """Tick what acts, untick what reads, choose a day, look at the full address, pass Deny and press Allow."""
    fits(tab)
    press_until(tab, "Tab", "scope jobs:read")
    tab.keyboard.press("Space")
    press_until(tab, "Tab", "scope applications:write")
    tab.keyboard.press("Space")
    press_until(tab, "Tab", "duration 30-days")
    tab.keyboard.press("ArrowLeft")
    assert focused(tab) == "duration 1-day"
    assert tab.locator("input[name=scope]:checked").evaluate_all("all => all.map(box => box.value)") == [
        "applications:write"
    ]
    press_until(tab, "Tab", "SUMMARY Mostrar o endereço completo")
    tab.keyboard.press("Enter")
    assert tab.locator("details code").is_visible()
    assert press_until(tab, "Tab", "decision allow")[-2:] == ["decision deny", "decision allow"]
    tab.keyboard.press("Enter")


@pytest.mark.parametrize("page", ["consent-unverified-on-this-computer", "sign-in-to-decide", "error-unknown-client"])
def test_wide_text_spacing_cuts_nothing_off(studio: Studio, page: str) -> None:
    person, opened = PAGES[page]
    tab = studio.tab(LOOKS["phone-dark-pt"], person)
    opened(studio, tab)
    # WCAG 1.4.12
    tab.add_style_tag(
        content="* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    )
    fits(tab)


def test_without_scripts_the_pages_own_policy_blocks_nothing_they_need(studio: Studio) -> None:
    tab = studio.tab(PHONE, "ana")
    blocked: list[str] = []
    tab.on("console", lambda message: blocked.append(message.text) if message.type == "error" else None)
    for page in ("consent-claimed-application", "consent-verified-second-request", "connected-apps", "connection"):
        PAGES[page][1](studio, tab)
        assert tab.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius") == "14px"
    assert not blocked
