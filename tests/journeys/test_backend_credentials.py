"""How the gateway is let in at a backend: given over the API, shown to the backend alone, within a second."""

import json
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import pytest

from tests.journeys import steps
from tests.journeys.pages import Browser
from tests.journeys.server import Demo
from tests.proxy.authority import Authority, server_context
from tests.small_server import answering

SECRET = "s3cret-of-the-backend"
Give = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def desktop(demo: Demo, ana: Browser) -> steps.Tokens:
    """Tokens of a public client that ana connected to the echo backend."""
    return steps.connect_desktop_app(demo, ana)


@pytest.fixture
def give(demo: Demo) -> Iterator[Give]:
    """Changes the echo backend for one test."""
    staff = demo.facts["staff"]
    url, who = f"{demo.issuer}/api/manage/v1/backends/echo/", (staff["username"], staff["password"])

    def patch(change: dict[str, Any]) -> None:
        answer = httpx.patch(url, json=change, auth=who, headers={"X-Reason": "the journey says so"}, timeout=20)
        assert answer.status_code == 200, answer.text
        assert SECRET not in answer.text

    yield patch
    upstream = demo.facts["backends"]["echo"]["upstream"]
    patch({"credential": None, "identity_query": "", "tls": None, "upstream_url": upstream})


class Proven(BaseHTTPRequestHandler):
    """Says whose certificate it was shown."""

    def do_GET(self) -> None:
        """The subject."""
        assert isinstance(self.connection, ssl.SSLSocket)
        subject = (self.connection.getpeercert() or {}).get("subject", ())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(subject).encode())


@pytest.fixture
def authority() -> Authority:
    """Whom the company trusts."""
    return Authority()


@pytest.fixture
def proven(authority: Authority) -> Iterator[str]:
    """A backend that lets in whom that authority knows."""
    with answering(Proven, tls=server_context(authority.give("localhost"), asks=authority.pem)) as server:
        yield f"https://localhost:{server.server_port}"


class TokenEndpoint(BaseHTTPRequestHandler):
    """Gives a token to whoever shows the secret."""

    given: int

    def do_POST(self) -> None:
        """One more."""
        form = self.rfile.read(int(self.headers["content-length"])).decode()
        good = f"client_secret={SECRET}" in form
        type(self).given += good
        self.send_response(200 if good else 401)
        self.end_headers()
        said = {"access_token": f"fetched-{self.given}", "token_type": "Bearer", "expires_in": 300}
        self.wfile.write(json.dumps(said if good else {"error": "invalid_client"}).encode())


@pytest.fixture
def token_url() -> Iterator[str]:
    """Where the gateway fetches its tokens."""
    TokenEndpoint.given = 0
    with answering(TokenEndpoint) as server:
        yield f"http://127.0.0.1:{server.server_port}/token"


def call(demo: Demo, tokens: steps.Tokens, query: str = "q=1") -> httpx.Response:
    """One read of the echo backend."""
    return httpx.get(f"{demo.issuer}/api/v1/echo/some/path?{query}", headers=tokens.header, timeout=20)


@pytest.mark.parametrize(
    ("credential", "shown"),
    [
        ({"type": "header", "name": "X-Service-Key", "value": SECRET}, ("x-service-key", SECRET)),
        ({"type": "bearer", "token": SECRET}, ("authorization", f"Bearer {SECRET}")),
        (
            {"type": "basic", "username": "gateway", "password": "s3cret"},
            ("authorization", "Basic Z2F0ZXdheTpzM2NyZXQ="),
        ),
    ],
)
def test_the_backend_is_shown_the_header(
    demo: Demo, desktop: steps.Tokens, give: Give, credential: dict[str, str], shown: tuple[str, str]
) -> None:
    give({"credential": credential})
    assert call(demo, desktop).json()["headers"].items() >= {shown}


def test_the_backend_is_shown_the_parameters_once_and_nobody_else_is(
    demo: Demo, desktop: steps.Tokens, give: Give
) -> None:
    give({"credential": {"type": "query", "name": "api_key", "value": SECRET}, "identity_query": "user_id"})
    called = call(demo, desktop, "a=%2F&user_id=user_2def&USER%5FID=user_2def&api_key=x&b=+")
    received = called.json()
    assert received["query"] == f"a=%2F&b=+&user_id=user_2abc&api_key={SECRET}"
    asserted = steps.verified_identity(demo, received["headers"]["x-gateway-identity"]).claims
    assert asserted["htu"] == f"{demo.facts['backends']['echo']['upstream']}/some/path"
    staff = demo.facts["staff"]
    found = httpx.get(
        f"{demo.issuer}/api/manage/v1/audit/events/",
        params={"request_id": called.headers["x-request-id"]},
        auth=(staff["username"], staff["password"]),
        timeout=20,
    )
    assert len(found.json()["results"]) == 1
    assert SECRET not in found.text + demo.server.log.read_text()


def test_the_backend_is_shown_a_token_that_the_gateway_fetched_once(
    demo: Demo, desktop: steps.Tokens, give: Give, token_url: str
) -> None:
    fetched = {
        "type": "client_credentials",
        "token_url": token_url,
        "client_id": "gateway",
        "client_secret": SECRET,
        "token_endpoint_auth_method": "client_secret_post",
        "allow_private": True,
    }
    give({"credential": fetched})
    shown = [call(demo, desktop).json()["headers"]["authorization"] for _time in range(3)]
    assert shown == ["Bearer fetched-1"] * 3
    give({"credential": fetched | {"client_secret": "wrong"}})
    refused = call(demo, desktop)
    assert (refused.status_code, refused.json()["error"]) == (502, "backend_credential_refused")
    assert "invalid_client" not in refused.text


def test_the_backend_and_the_gateway_prove_who_they_are(
    demo: Demo, desktop: steps.Tokens, give: Give, proven: str, authority: Authority
) -> None:
    give({"upstream_url": proven})
    assert call(demo, desktop).status_code == 502
    give({"tls": {"ca": authority.pem}})
    assert call(demo, desktop).status_code == 502
    for name in ("gateway", "renewed"):
        given = authority.give(name)
        give({"tls": {"client_certificate": given.certificate, "client_key": given.key}})
        called = call(demo, desktop)
        assert (called.status_code, called.json()) == (200, [[["commonName", name]]])


def test_staff_see_how_the_serving_process_gets_on_with_the_backend(
    demo: Demo, desktop: steps.Tokens, staff: Browser
) -> None:
    assert call(demo, desktop).status_code == 200
    text = staff.open("/admin/proxy/backendcheck/").text
    assert "Called" in text
    assert "usually" in text
