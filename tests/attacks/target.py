"""A really started authorization server, and what a client, a person and an attacker do to it over HTTP."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.attacks.table import NotMet
from tests.journeys.pages import Browser, Form, Page

VERIFIER = "attack-verifier-attack-verifier-attack-verifier-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
READ, WRITE = "tool:read", "tool:write"
STATE = "state-of-the-client"

Pairs = Mapping[str, str | None]
Answer = TypeVar("Answer", bound=Page | httpx.Response)


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Where a server has its endpoints; `issuer` is what its issuer has after the origin.

    `decision` is the button of its consent form; `ending` is how the links end with which the page `connections` lets
    a person end what they allowed.
    """

    issuer: str
    authorize: str
    token: str
    revoke: str
    introspect: str
    register: str
    sign_in: str
    decision: str
    connections: str
    ending: str
    api: str = "/api/v1/echo"


@dataclass(frozen=True, kw_only=True)
class RegisteredClient:
    """A client as its developer knows it."""

    client_id: str
    secret: str
    redirect_uri: str


class Person(Browser):
    """A browser whose requests come from an address of its own."""

    def at(self, address: str) -> Self:
        """The same browser at another address."""
        self._http.headers["X-Forwarded-For"] = address
        return self

    def post(self, path: str, data: Mapping[str, Any], **headers: str) -> httpx.Response:
        """Send a form that no page offered."""
        return self._http.post(path, data=dict(data), headers=headers)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask without following any redirect."""
        return self._http.get(path, headers=headers)

    def follow(self, page: Page) -> httpx.Response:
        """Go where an answer redirects to, off this server."""
        return httpx.get(page.response.headers["location"], timeout=20, trust_env=False)

    def cookie(self, name: str) -> str:
        """The value of a cookie, "" when there is none."""
        return self._http.cookies.get(name) or ""

    def set_cookie(self, name: str, value: str) -> None:
        """Plant a cookie, as an attacker on a neighbouring host would."""
        self._http.cookies.set(name, value, domain=urlsplit(self.issuer).hostname or "")


@dataclass(frozen=True, kw_only=True)
class Target:
    """One server.

    `operate` does what `tests.attacks.operate` offers; `address` is where a row's requests come from.

    `process_id` leads the server's process group; `variables` are what its commands run with.
    """

    origin: str
    process_id: int
    variables: Mapping[str, str]
    paths: Paths
    clients: Mapping[str, RegisteredClient]
    passwords: Mapping[str, str]
    operate: Callable[[str, str], None]
    session_cookie: str
    address: str = "192.0.2.1"
    signed_in: dict[str, Person] = field(default_factory=dict)
    browsers: ExitStack = field(default_factory=ExitStack)

    def from_address(self, number: int) -> "Target":
        """The same server, asked from the `number`-th address, so that no row pays for another's rate."""
        return replace(self, address=f"198.51.{100 + number // 250}.{1 + number % 250}")

    # People

    def anonymous(self) -> Person:
        """A browser nobody is signed in with."""
        return self.browsers.enter_context(Person(self.origin)).at(self.address)

    def sign_in(self, browser: Person, name: str) -> Page:
        """Sign `name` in."""
        page = browser.open(self.paths.sign_in)
        answers = [("username", name), ("password", self.passwords[name])]
        return browser.submit(page, page.form_with("password"), answers)

    def person(self, name: str = "ana") -> Person:
        """The browser `name` is signed in with, kept from row to row."""
        if name not in self.signed_in:
            browser = self.anonymous()
            self.sign_in(browser, name)
            self.signed_in[name] = browser
        return self.signed_in[name].at(self.address)

    # The authorization endpoint

    @property
    def issuer(self) -> str:
        """The issuer."""
        return f"{self.origin}{self.paths.issuer}"

    @property
    def resource(self) -> str:
        """The identifier of the API."""
        return f"{self.origin}{self.paths.api}"

    def query(self, client: str = "A", **changes: str | None) -> dict[str, str]:
        """The parameters of a good authorization request, changed; None leaves one out."""
        known = self.clients[client]
        defaults: Pairs = {
            "response_type": "code",
            "client_id": known.client_id,
            "redirect_uri": known.redirect_uri,
            "scope": READ,
            "state": STATE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": self.resource,
        }
        return {name: value for name, value in {**defaults, **changes}.items() if value is not None}

    def ask(self, client: str = "A", *, browser: Person | None = None, twice: str = "", **changes: str | None) -> Page:
        """Open an authorization request as ana (or with `browser`); `twice` names a parameter sent a second time."""
        pairs = list(self.query(client, **changes).items())
        if twice:
            pairs.append((twice, dict(pairs)[twice] + "x"))
        return sound((browser or self.person()).open(f"{self.paths.authorize}?{urlencode(pairs)}"))

    def consent_form(self, page: Page) -> Form:
        """The form of a consent page.

        Raises:
            NotMet: there is none.
        """
        if page.status != 200 or not any(form.named(self.paths.decision) for form in page.forms):
            raise NotMet(f"no consent page but {page.status}")
        return page.form_with(self.paths.decision)

    def decide(
        self, browser: Person, page: Page, *, allow: bool = True, answers: Iterable[tuple[str, str]] = ()
    ) -> Page:
        """Answer a consent page; `answers` replace what the form would send."""
        form = self.consent_form(page)
        given = list(answers)
        if self.paths.decision == "allow":
            given += [("allow", "Authorize")] if allow else []
        else:
            ticked = [] if any(name == "scope" for name, _ in given) else form.named("scope")
            given += [("scope", box.value) for box in ticked]
            given.append(("decision", "allow" if allow else "deny"))
        return sound(browser.submit(page, form, given))

    def code(self, client: str = "A", *, name: str = "ana", **changes: Any) -> str:
        """A code, got the usual way."""
        browser = self.person(name)
        answer = answered(self.decide(browser, self.ask(client, browser=browser, **changes)))
        if "code" not in answer:
            raise NotMet(f"no code but {answer.get('error')}")
        return answer["code"]

    # The token endpoint

    def post(
        self, path: str, fields: Pairs, *, client: str = "", auth: tuple[str, str] | None = None, **headers: str
    ) -> httpx.Response:
        """POST a form as `client`, its secret (if it has one) in the body."""
        known = self.clients.get(client)
        own: dict[str, str | None] = {}
        if known:
            own = {"client_id": known.client_id, "client_secret": known.secret or None}
        form = {name: value for name, value in {**own, **fields}.items() if value is not None}
        address = {"X-Forwarded-For": self.address}
        url = f"{self.origin}{path}"
        return sound(httpx.post(url, data=form, auth=auth, headers=address | headers, timeout=30, trust_env=False))

    def token(self, fields: Pairs, *, client: str = "A") -> httpx.Response:
        """POST to the token endpoint."""
        return self.post(self.paths.token, fields, client=client)

    def redeem(self, code: str, client: str = "A", **changes: str | None) -> httpx.Response:
        """Trade a code."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.clients[client].redirect_uri,
            "code_verifier": VERIFIER,
        }
        return self.token({**fields, **changes}, client=client)

    def refresh(self, token: str, client: str = "A", **changes: str | None) -> httpx.Response:
        """Trade a refresh token."""
        return self.token({"grant_type": "refresh_token", "refresh_token": token, **changes}, client=client)

    def pair(self, client: str = "A", *, name: str = "ana", **changes: str | None) -> dict[str, Any]:
        """Fresh tokens."""
        response = self.redeem(self.code(client, name=name, **changes), client)
        if response.status_code != 200:
            raise NotMet(f"no tokens but {response.status_code}")
        tokens: dict[str, Any] = response.json()
        return tokens

    def revoke(self, token: str, client: str = "A", **changes: str | None) -> httpx.Response:
        """RFC 7009."""
        return self.post(self.paths.revoke, {"token": token, **changes}, client=client)

    def introspect(self, token: str, client: str = "S") -> httpx.Response:
        """RFC 7662, authenticated with HTTP Basic; S serves the API that the tokens are good for."""
        known = self.clients[client]
        return self.post(self.paths.introspect, {"token": token}, auth=(known.client_id, known.secret))

    # Clients that come by themselves

    def register(self, body: object, *, kind: str = "application/json", **headers: str) -> httpx.Response:
        """RFC 7591; `body` as JSON, or as it stands when it is text."""
        sent = body if isinstance(body, str) else json.dumps(body)
        sent_headers = {"Content-Type": kind, "X-Forwarded-For": self.address, **headers}
        url = f"{self.origin}{self.paths.register}"
        return sound(httpx.post(url, content=sent, headers=sent_headers, timeout=30, trust_env=False))

    # What a person allowed

    def endings(self, browser: Person) -> list[str]:
        """Where this person can end what they allowed.

        Raises:
            NotMet: nowhere.
        """
        links = [link for link in browser.open(self.paths.connections).links if link.endswith(self.paths.ending)]
        if not links:
            raise NotMet("nothing can be ended")
        return list(dict.fromkeys(links))

    def end(self, browser: Person, path: str) -> Page:
        """End one of them, as its page offers it."""
        page = browser.open(path)
        form = next(form for form in page.forms if form.method == "post" and "logout" not in form.action)
        return sound(browser.submit(page, form))

    # Everything else

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET without cookies and without following redirects."""
        sent = {"X-Forwarded-For": self.address} | headers
        return sound(httpx.get(f"{self.origin}{path}", headers=sent, timeout=30, trust_env=False))

    def metadata(self) -> dict[str, Any]:
        """The document where RFC 8414 section 3.1 puts it.

        Raises:
            NotMet: it is not there.
        """
        response = self.get(f"/.well-known/oauth-authorization-server{self.paths.issuer}")
        if response.status_code != 200:
            raise NotMet(f"no metadata but {response.status_code}")
        document: dict[str, Any] = response.json()
        return document

    def call(self, token: str, *, path: str = "/a", method: str = "GET") -> httpx.Response:
        """Call the API with a bearer token."""
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": self.address}
        url = f"{self.origin}{self.paths.api}{path}"
        return sound(httpx.request(method, url, headers=headers, timeout=30, trust_env=False))

    def opens(self, token: str) -> bool:
        """Whether a token opens the API."""
        return self.call(token).status_code == 200


def sound(answer: Answer) -> Answer:
    """The answer, unless it shows that the server failed.

    Raises:
        NotMet: a 5xx, which no row may cause.
    """
    status = answer.status if isinstance(answer, Page) else answer.status_code
    if status >= 500:
        raise NotMet(f"HTTP {status}")
    return answer


def answered(page: Page) -> dict[str, str]:
    """The parameters a redirect brings to the client.

    Raises:
        NotMet: the answer is no redirect, or a parameter occurs twice.
    """
    location = page.response.headers.get("location", "")
    if page.status not in {302, 303}:
        raise NotMet(f"no redirect but {page.status}")
    found = parse_qs(urlsplit(location).query, keep_blank_values=True)
    if any(len(values) > 1 for values in found.values()):
        raise NotMet("a parameter occurs twice")
    return {name: values[0] for name, values in found.items()}
