"""Requests nobody would think of: no 5xx, none of their markup on a page, no redirect to an unregistered place."""

import os
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.agreed import CHALLENGE, REDIRECT, World
from tests.attacks.generated.hostile import MARKUP, bodies, encoded, pairs, types, values, words

HERE = {"", "testserver"}
REGISTERED = (REDIRECT, "http://127.0.0.1")
AUTHORIZATION = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "prompt",
    "max_age",
    "ui_locales",
    "login_hint",
    "request",
    "request_uri",
    "resource",
    "approval_prompt",
]
TOKEN = [
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "client_id",
    "client_secret",
    "refresh_token",
    "scope",
    "resource",
    "token",
    "token_type_hint",
    "subject_token",
    "subject_token_type",
    "audience",
]

pytestmark = pytest.mark.django_db
# For each endpoint; on services there is time for it
AMOUNT = 2000 if os.environ.get("TEST_DATABASE_URL") else 100


def sound(response: Any) -> None:
    """What holds for every answer."""
    assert response.status_code < 500
    if response.get("Content-Type", "").startswith("text/html"):
        assert MARKUP.encode() not in response.content
    assert "hostile" not in response.cookies
    if location := response.get("Location"):
        parts = urlsplit(location)
        own = parts.netloc in HERE and parts.scheme in {"", "http", "https"} and not location.startswith(("//", "/\\"))
        assert own or location.startswith(REGISTERED), location


def every(strategy: st.SearchStrategy[Any], check: Callable[[Any], None], *, amount: int = AMOUNT) -> None:
    """Check examples of `strategy`, `amount` of them."""
    phases = (Phase.generate, Phase.shrink)
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]
    profile = settings(max_examples=amount, database=None, phases=phases, suppress_health_check=quiet)
    profile(given(strategy)(check))()


def changed(good: dict[str, str], names: list[str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    """A good request with some of it changed, left out, doubled, or nothing good at all."""
    changes = st.dictionaries(st.sampled_from([*names, *good]), st.none() | values, max_size=3)
    mostly = changes.map(
        lambda change: [(name, value) for name, value in {**good, **change}.items() if value is not None]
    )
    return mostly | st.tuples(mostly, pairs(tuple(names))).map(lambda two: two[0] + two[1]) | pairs(tuple(names))


@pytest.mark.parametrize("who", ["ana", "nobody"])
def test_authorize(signed_in: World, who: str) -> None:
    good = {
        "response_type": "code",
        "client_id": signed_in.client.client_id,
        "redirect_uri": REDIRECT,
        "scope": "tool:read",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    if who == "nobody":
        signed_in.browser.logout()
    get = signed_in.browser.get
    strategy = changed(good, AUTHORIZATION)
    every(strategy, lambda sent: sound(get("/oauth/authorize", QUERY_STRING=encoded(sent))), amount=AMOUNT // 2)


def test_consent(signed_in: World) -> None:
    names = ["interaction", "decision", "scope", "duration", "client_id", "redirect_uri", "state"]
    good = {"interaction": "a" * 43, "decision": "allow", "scope": "tool:read"}
    strategy = st.tuples(changed(good, names).map(encoded).map(str.encode) | bodies(tuple(names)), types)
    every(strategy, lambda sent: sound(signed_in.browser.post("/oauth/authorize", sent[0], sent[1])))


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect"])
def test_client_endpoints(world: World, endpoint: str) -> None:
    good = {
        "grant_type": "authorization_code",
        "code": "x" * 43,
        "redirect_uri": REDIRECT,
        "client_id": world.client.client_id,
        "client_secret": world.secret,
        "token": "x",
    }
    basic = st.tuples(values, values).map(lambda pair: f"Basic {_base64(':'.join(pair))}")
    right = f"Basic {_base64(f'{world.client.client_id}:{world.secret}')}"
    headers = st.just("") | basic | st.just(right) | words.map(_latin)
    body = changed(good, TOKEN).map(encoded).map(str.encode) | bodies(tuple(TOKEN))

    def check(sent: tuple[bytes, str, str]) -> None:
        extra = {"HTTP_AUTHORIZATION": sent[2]} if sent[2] else {}
        response = world.browser.post(f"/oauth/{endpoint}", sent[0], sent[1], **extra)  # type: ignore[arg-type]
        sound(response)
        assert "no-store" in response["Cache-Control"]
        if response.status_code >= 400 and response.status_code != 405:
            assert response.json()["error"]

    every(st.tuples(body, types, headers), check)


def test_sign_in(world: World) -> None:
    names = ("username", "password", "next", "csrfmiddlewaretoken")
    browser = world.browser

    def check(sent: tuple[list[tuple[str, str]], bytes, str]) -> None:
        query, body, kind = sent
        sound(browser.get("/accounts/login/", QUERY_STRING=encoded(query)))
        sound(browser.post("/accounts/login/", body, kind))

    every(st.tuples(pairs(names), bodies(names), types), check)


def _base64(text: str) -> str:
    return b64encode(text.encode("utf-8", "surrogatepass")).decode()


def _latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")
