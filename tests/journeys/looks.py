"""Real pages in Chromium: one gateway with clients of every kind, people who are signed in, and ways to look."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, StorageState

from tests.journeys.server import Demo, manage
from tests.small_server import answering

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
# A client of each level of trust, returning to the web, to this computer and to an application
CLIENTS = {
    "unverified": "http://127.0.0.1/callback",
    "claimed": "cursor://anysphere.cursor-mcp/oauth/callback",
    "proven": "https://assistant.example/oauth/callback",
}
_MAKE = """
from oauth_provider.clients.models import Client
for trust, uri in {clients!r}.items():
    Client.objects.create(
        name=f"Helper, {{trust}}", client_id=f"helper-{{trust}}", client_type="public", trust=trust, redirect_uris=uri,
        authorization_grant_type="authorization-code", default_resource="/api/v1/gpt",
        device_grant_allowed=True,
        allowed_scopes="jobs:read applications:read applications:write resume:read",
    )
"""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How somebody looks at a page."""

    width: int = 1280
    scheme: str = "light"
    locale: str = "en"
    scripts: bool = True


@dataclass(kw_only=True)
class Studio:
    """A browser at a gateway; `signed_in` keeps one session per person, because signing in is rate limited."""

    demo: Demo
    browser: Browser
    signed_in: dict[str, StorageState] = field(default_factory=dict)
    tabs: dict[tuple[str, Look], Page] = field(default_factory=dict)

    def url(self, path: str) -> str:
        """The address of a page."""
        return f"{self.demo.issuer}{path}"

    def tab(self, look: Look, person: str = "") -> Page:
        """The tab of nobody or of `person`, kept for the next who looks alike."""
        if (person, look) not in self.tabs:
            self.tabs[person, look] = self._open(look, person)
        return self.tabs[person, look]

    def _open(self, look: Look, person: str) -> Page:
        context = self.browser.new_context(
            viewport={"width": look.width, "height": 800},
            color_scheme=look.scheme,  # type: ignore[arg-type]
            locale=look.locale,
            java_script_enabled=look.scripts,
            # axe-core is put into the page, which the page's own policy rightly forbids
            bypass_csp=look.scripts,
            reduced_motion="reduce",
            storage_state=self._session(person) if person else None,
        )
        return context.new_page()

    def _session(self, person: str) -> StorageState:
        if person not in self.signed_in:
            is_staff = person == "staff"
            account = self.demo.facts["staff"] if is_staff else self.demo.user(person)
            context = self.browser.new_context()
            tab = context.new_page()
            tab.goto(self.url("/admin/login/?next=/admin/" if is_staff else "/accounts/login/"))
            tab.fill("input[name=username]", account["username"])
            tab.fill("input[name=password]", account["password"])
            tab.press("input[name=password]", "Enter")
            tab.wait_for_url("**/admin/" if is_staff else "**/connected-apps/")
            self.signed_in[person] = context.storage_state()
            context.close()
        return self.signed_in[person]


class NativeApp:
    """A program that waits for its code on this computer (RFC 8252 section 7.3); `called` are the paths it was sent."""

    def __init__(self) -> None:
        called: list[str] = []

        class Callback(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                called.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"Connected")

        self.called = called
        self._listening = ExitStack()
        server = self._listening.enter_context(answering(Callback))
        self.address = f"http://127.0.0.1:{server.server_port}/callback"

    def close(self) -> None:
        """Stop listening."""
        self._listening.close()


def asked(client_id: str, redirect_uri: str, **changes: str) -> str:
    """The path of an authorization request."""
    parameters = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": "jobs:read resume:read applications:write",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return "/oauth/authorize?" + urlencode(parameters | changes)


def asked_by(trust: str, **changes: str) -> str:
    """The path of a request by one of CLIENTS."""
    uri = CLIENTS[trust].replace("127.0.0.1/", "127.0.0.1:49152/")
    return asked(f"helper-{trust}", **{"redirect_uri": uri} | changes)


def asked_by_gpt(demo: Demo, **changes: str) -> str:
    """The path of a request by the demo's GPT, which staff verified."""
    gpt: dict[str, Any] = demo.client("gpt")
    return asked(gpt["client_id"], gpt["redirect_uris"][1], **changes)


def make_clients(data_dir: Path, **variables: str) -> None:
    """Register CLIENTS in the gateway's data."""
    manage("shell", "-c", _MAKE.format(clients=CLIENTS), variables={"DATA_DIR": str(data_dir), "DEMO": "1"} | variables)


def fits(tab: Page) -> None:
    """Nothing is wider than the screen (WCAG 1.4.10)."""
    wide = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{tab.url} scrolls sideways by {wide} px"
