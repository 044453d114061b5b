"""What people and clients do, one step a function; the journeys are made of these."""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.journeys.pages import Browser, Page
from tests.journeys.server import Demo

CHAT_OPENAI = "https://chat.openai.com/aip/g-demo/oauth/callback"
CHATGPT = "https://chatgpt.com/aip/g-demo/oauth/callback"
LOOPBACK = "http://127.0.0.1:49152/callback"

Road = Literal["/oauth", "/api/v1/gpt/oauth"]
Proof = Literal["form", "json", "basic"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An authorization request a client made, and what it must remember to finish it."""

    client: dict[str, Any]
    redirect_uri: str
    state: str
    verifier: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """An answer of the token endpoint."""

    access: str
    refresh: str
    scopes: frozenset[str]

    @property
    def header(self) -> dict[str, str]:
        """The access token as a call carries it."""
        return {"Authorization": f"Bearer {self.access}"}


def sign_in(browser: Browser, account: dict[str, Any], *, path: str = "/accounts/login/") -> Page:
    """Sign in at `path` with the demo account's username and password."""
    page = browser.open(path)
    form = page.form_with("password")
    answers = [("username", account["username"]), ("password", account["password"])]
    return browser.submit(page, form, answers)


def ask_as_gpt(
    demo: Demo, *, scopes: Collection[str] = (), redirect_uri: str = CHATGPT, road: Road = "/oauth"
) -> Asked:
    """What ChatGPT's GPT Action opens: `state`, no PKCE, no `resource`."""
    client = demo.client("gpt")
    state = secrets.token_urlsafe(16)
    query = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes or client["scopes"]),
        "state": state,
    }
    url = f"{road}/authorize?{urlencode(query)}"
    return Asked(client=client, redirect_uri=redirect_uri, state=state, verifier="", url=url)


def ask_as_desktop_app(demo: Demo, *, scopes: Collection[str], resource: str) -> Asked:
    """What a public client opens: PKCE S256 (RFC 7636), a loopback redirect and a `resource` (RFC 8707)."""
    client = demo.client("public")
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": LOOPBACK,
        "scope": " ".join(scopes),
        "state": state,
        "code_challenge": base64url(digest),
        "code_challenge_method": "S256",
        "resource": f"{demo.issuer}{resource}",
    }
    url = f"/oauth/authorize?{urlencode(query)}"
    return Asked(client=client, redirect_uri=LOOPBACK, state=state, verifier=verifier, url=url)


def offered(page: Page) -> list[str]:
    """The permissions a consent page lets a person choose from."""
    return [box.value for box in page.form_with("decision").named("scope")]


def decide(
    browser: Browser, page: Page, *, allow: Collection[str] | None = None, decision: str = "allow"
) -> dict[str, str]:
    """Answer a consent page, ticking exactly `allow` (everything when None); the parameters sent to the client."""
    ticked = offered(page) if allow is None else allow
    answers = [("scope", name) for name in ticked] + [("decision", decision)]
    return returned(browser.submit(page, page.form_with("decision"), answers))


def returned(page: Page) -> dict[str, str]:
    """The query of the redirect that sends the browser back to the client."""
    location = page.response.headers.get("location", "")
    assert page.status in {302, 303}, f"{page.status}: {page.text[:1500]}"
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def exchange(demo: Demo, asked: Asked, code: str, *, proof: Proof = "form", road: Road = "/oauth") -> httpx.Response:
    """Trade a code for tokens (RFC 6749 section 4.1.3)."""
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked.redirect_uri}
    if asked.verifier:
        fields["code_verifier"] = asked.verifier
    return at_token_endpoint(demo, asked.client, fields, proof=proof, road=road)


def refresh(demo: Demo, client: dict[str, Any], token: str) -> httpx.Response:
    """Trade a refresh token for new tokens (RFC 6749 section 6)."""
    return at_token_endpoint(demo, client, {"grant_type": "refresh_token", "refresh_token": token})


def at_token_endpoint(
    demo: Demo, client: dict[str, Any], fields: dict[str, str], *, proof: Proof = "form", road: Road = "/oauth"
) -> httpx.Response:
    """Call the token endpoint as `client`, its secret (if it has one) where `proof` says."""
    url = f"{demo.issuer}{road}/token"
    secret = client.get("client_secret")
    if proof == "basic":
        return httpx.post(url, data=fields, auth=(client["client_id"], str(secret)), timeout=20)
    body = fields | {"client_id": client["client_id"]} | ({"client_secret": secret} if secret else {})
    if proof == "json":
        return httpx.post(url, json=body, timeout=20)
    return httpx.post(url, data=body, timeout=20)


def tokens_of(response: httpx.Response) -> Tokens:
    """The tokens of a successful answer."""
    assert response.status_code == 200, response.text
    body = response.json()
    return Tokens(access=body["access_token"], refresh=body["refresh_token"], scopes=frozenset(body["scope"].split()))


def connect_gpt(
    demo: Demo, browser: Browser, *, allow: Collection[str] | None = None, redirect_uri: str = CHATGPT
) -> Tokens:
    """The whole way of a GPT for a person who is signed in, ticking exactly `allow`."""
    asked = ask_as_gpt(demo, redirect_uri=redirect_uri)
    answer = decide(browser, browser.open(asked.url), allow=allow)
    return tokens_of(exchange(demo, asked, answer["code"]))


def connect_desktop_app(
    demo: Demo,
    browser: Browser,
    *,
    scopes: Collection[str] = ("tool:read", "tool:write"),
    resource: str = "/api/v1/echo",
) -> Tokens:
    """The whole way of a public client for a person who is signed in."""
    asked = ask_as_desktop_app(demo, scopes=scopes, resource=resource)
    answer = decide(browser, browser.open(asked.url))
    return tokens_of(exchange(demo, asked, answer["code"]))


def connection_path(browser: Browser, client_name: str) -> str:
    """Where Connected Apps keeps the connection of the app called `client_name`.

    Raises:
        AssertionError: no connection of that name; the message shows the page.
    """
    listing = browser.open("/connected-apps/")
    for link in dict.fromkeys(listing.links):
        path = urlsplit(link).path
        is_detail = path.startswith("/connected-apps/") and path.count("/") == 3
        if is_detail and client_name in browser.open(path).text:
            return path
    raise AssertionError(f"{client_name} is not on Connected Apps:\n{listing.text}")


def revoke(browser: Browser, path: str) -> Page:
    """Revoke the connection at `path`, as its page offers it."""
    page = browser.open(f"{path}revoke/")
    form = next(form for form in page.forms if form.method == "post" and "logout" not in form.action)
    return browser.submit(page, form)


def refused_after_s(call: Callable[[], httpx.Response], *, within_s: float = 5.0) -> float:
    """Repeat `call` until it is refused with 401; the seconds that took, counted from now."""
    start = time.monotonic()
    while (passed := time.monotonic() - start) < within_s:
        if call().status_code == 401:
            return time.monotonic() - start
        time.sleep(0.005)
    raise AssertionError(f"still accepted after {passed:.1f} s")


def base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def verified_identity(demo: Demo, assertion: str) -> jwt.Token:
    """What a backend does with `X-Gateway-Identity`: verify it against the published keys."""
    keys = KeySet.import_key_set(httpx.get(f"{demo.issuer}/.well-known/jwks.json", timeout=20).json())
    token = jwt.decode(assertion, keys, algorithms=["ES256"])
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": demo.issuer}, exp={"essential": True}, iat={"essential": True}
    ).validate(token.claims)
    return token
