"""The echo backend answers with the request as it arrived: the proof of what passes inward."""

import hashlib
from typing import Any

import httpx
import pytest

from tests.journeys import steps
from tests.journeys.pages import Browser
from tests.journeys.server import Demo

QUERY = "q=a%2Fb+c&q=2&empty=&plus=%2B"
EVIL = "user_2def"


@pytest.fixture(scope="module")
def desktop(demo: Demo, ana: Browser) -> steps.Tokens:
    """Tokens of a public client that ana connected to the echo backend."""
    return steps.connect_desktop_app(demo, ana)


def echo(demo: Demo, tokens: steps.Tokens, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """What the backend received for one GET."""
    url = f"{demo.issuer}/api/v1/echo/some/path?{QUERY}"
    answer = httpx.get(url, headers={**tokens.header, **(headers or {})}, timeout=20)
    assert answer.status_code == 200, answer.text
    received: dict[str, Any] = answer.json()
    return received


def test_backend_learns_the_external_id(demo: Demo, desktop: steps.Tokens) -> None:
    assert echo(demo, desktop)["headers"]["x-user-id"] == "user_2abc"


def test_backend_learns_client_scopes_and_request(demo: Demo, desktop: steps.Tokens) -> None:
    headers = echo(demo, desktop)["headers"]
    assert headers["x-client-id"] == demo.client("public")["client_id"]
    assert set(headers["x-scopes"].split()) == {"tool:read", "tool:write"}
    assert headers["x-request-id"]
    assert headers["traceparent"]
    assert 0 < int(headers["x-request-deadline-ms"]) <= 30_000


def test_assertion_verifies_against_the_published_keys(demo: Demo, desktop: steps.Tokens) -> None:
    received = echo(demo, desktop)
    token = steps.verified_identity(demo, received["headers"]["x-gateway-identity"])
    assert token.header["typ"] == "gateway-identity+jwt"
    claims = token.claims
    assert (claims["aud"], claims["sub"], claims["htm"]) == ("echo", "user_2abc", "GET")
    assert claims["jti"] == received["headers"]["x-request-id"]
    assert claims["exp"] - claims["iat"] <= 60
    assert claims["client_id"] == demo.client("public")["client_id"]


def test_assertion_names_the_upstream_url_without_query(demo: Demo, desktop: steps.Tokens) -> None:
    token = steps.verified_identity(demo, echo(demo, desktop)["headers"]["x-gateway-identity"])
    assert token.claims["htu"] == f"{demo.facts['backends']['echo']['upstream']}/some/path"


def test_path_and_query_arrive_byte_for_byte(demo: Demo, desktop: steps.Tokens) -> None:
    received = echo(demo, desktop)
    assert received["method"] == "GET"
    assert received["path"].endswith("/some/path")
    assert received["query"] == QUERY


def test_no_credential_arrives(demo: Demo, desktop: steps.Tokens) -> None:
    sent = {"Cookie": "session=abc", "X-API-Key": "key", "Proxy-Authorization": "Basic eA==", "X-Auth-Token": "t"}
    received = echo(demo, desktop, sent)
    assert not {"authorization", *(name.lower() for name in sent)} & set(received["headers"])
    assert desktop.access not in str(received)


def test_ordinary_headers_arrive(demo: Demo, desktop: steps.Tokens) -> None:
    headers = echo(demo, desktop, {"Accept-Language": "pt-BR", "X-Trace-Colour": "blue"})["headers"]
    assert (headers["accept-language"], headers["x-trace-colour"]) == ("pt-BR", "blue")


def test_body_arrives_unchanged(demo: Demo, desktop: steps.Tokens) -> None:
    body = '{"text": "ação", "n": 1.0}'
    answer = httpx.post(
        f"{demo.issuer}/api/v1/echo/notes",
        content=body,
        headers=desktop.header | {"Content-Type": "application/json"},
        timeout=20,
    )
    received = answer.json()
    assert received["body"] == body
    claims = steps.verified_identity(demo, received["headers"]["x-gateway-identity"]).claims
    assert claims.get("bdh", "") in ("", *digests(body))


def test_caller_cannot_be_somebody_else(demo: Demo, desktop: steps.Tokens) -> None:
    sent = {"X-User-Id": EVIL, "X-Clerk-User-Id": EVIL, "X-Gpt-Clerk-User-Id": EVIL, "X-Gateway-Identity": EVIL}
    assert EVIL not in str(echo(demo, desktop, sent))


def test_head_is_answered_like_get_without_a_body(demo: Demo, desktop: steps.Tokens) -> None:
    answer = httpx.head(f"{demo.issuer}/api/v1/echo/some/path", headers=desktop.header, timeout=20)
    assert (answer.status_code, answer.content) == (200, b"")


def test_write_needs_the_write_scope(demo: Demo, bruno: Browser) -> None:
    reader = steps.connect_desktop_app(demo, bruno, scopes=["tool:read"])
    answer = httpx.post(f"{demo.issuer}/api/v1/echo/notes", content="x", headers=reader.header, timeout=20)
    assert answer.status_code == 403
    assert 'scope="tool:write"' in answer.headers["www-authenticate"]


def digests(body: str) -> tuple[str, str]:
    """SHA-256 of `body` in the two usual spellings: base64url and hex."""
    digest = hashlib.sha256(body.encode())
    return steps.base64url(digest.digest()), digest.hexdigest()
