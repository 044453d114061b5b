"""Every known client comes by itself: it registers, asks, redeems, renews from two processes, and calls."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from tests.journeys import steps
from tests.journeys.pages import Browser
from tests.journeys.registered_clients import CLIENTS, Frozen
from tests.journeys.server import Demo

RESOURCE = "/api/v1/echo"


def register(demo: Demo, body: Mapping[str, Any]) -> dict[str, Any]:
    """What the registration endpoint answers."""
    document = httpx.get(f"{demo.issuer}/.well-known/oauth-authorization-server", timeout=20).json()
    answer = httpx.post(document["registration_endpoint"], json=dict(body), timeout=20)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def ask(demo: Demo, made: dict[str, Any], *, redirect_uri: str, **extra: str) -> steps.Asked:
    """Its authorization request; MCP clients name the resource."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    query = {
        "response_type": "code",
        "client_id": made["client_id"],
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": steps.base64url(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
        "resource": f"{demo.issuer}{RESOURCE}",
        **extra,
    }
    url = f"/oauth/authorize?{urlencode(query)}"
    return steps.Asked(client=made, redirect_uri=redirect_uri, state=state, verifier=verifier, url=url)


def connect(demo: Demo, browser: Browser, asked: steps.Asked, proof: steps.Proof) -> steps.Tokens:
    """The person allows everything; the tokens."""
    answer = steps.decide(browser, browser.open(asked.url))
    assert (answer["state"], answer["iss"]) == (asked.state, demo.issuer)
    return steps.tokens_of(steps.exchange(demo, asked, answer["code"], proof=proof))


@pytest.mark.parametrize("client", CLIENTS, ids=[client.name for client in CLIENTS])
def test_a_known_client_comes_by_itself_and_works(demo: Demo, ana: Browser, client: Frozen) -> None:
    made = register(demo, client.body)
    check_answer(made, client)
    proof: steps.Proof = "basic" if made["token_endpoint_auth_method"] == "client_secret_basic" else "form"
    asked = ask(demo, made, redirect_uri=client.returns_to[0], **client.authorize)
    tokens = connect(demo, ana, asked, proof)
    if wanted := client.authorize.get("scope"):
        assert tokens.scopes == set(wanted.split())
    for _ in range(2):
        tokens = renewed_by_two_processes(demo, made, tokens)
    called = httpx.get(f"{demo.issuer}{RESOURCE}/anything", headers=tokens.header, timeout=20)
    assert called.status_code == 200, called.text
    assert called.json()["headers"]["x-client-id"] == made["client_id"]
    # One registration for all: the endpoint takes thirty a minute
    check_returns(demo, ana, made, client)


def check_returns(demo: Demo, browser: Browser, made: dict[str, Any], client: Frozen) -> None:
    """Every address it really returns to leads to the page that asks, which names it."""
    for uri in client.returns_to:
        page = browser.open(ask(demo, made, redirect_uri=uri, **client.authorize).url)
        assert page.status == 200, uri
        assert urlsplit(uri).netloc in page.text


def check_answer(made: dict[str, Any], client: Frozen) -> None:
    """Complete, and nothing in it that zod or pydantic stumbles over."""
    assert set(made["redirect_uris"]) == set(client.body["redirect_uris"])
    assert re.fullmatch("[A-Za-z0-9]+", made["client_id"])
    assert not [name for name, value in made.items() if value in (None, "", [])]
    assert ("client_secret" in made) == (made["token_endpoint_auth_method"] != "none")
    assert made.get("client_secret_expires_at", 0) == 0
    for name in ("client_name", "application_type", "software_id", "software_version", "client_uri", "response_types"):
        if client.body.get(name):
            assert made[name] == client.body[name]
    if method := client.body.get("token_endpoint_auth_method"):
        assert made["token_endpoint_auth_method"] == method
    for name, value in client.registered.items():
        assert made[name] == value


def renewed_by_two_processes(demo: Demo, made: dict[str, Any], tokens: steps.Tokens) -> steps.Tokens:
    """Both get the same pair."""
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(steps.refresh, demo, made, tokens.refresh) for _ in range(2)]
    first, second = (steps.tokens_of(answer.result()) for answer in answers)
    assert (first.access, first.refresh) == (second.access, second.refresh)
    assert first.scopes == tokens.scopes
    return first


def test_claude_that_registers_at_every_connection_is_one_program_to_staff(demo: Demo, staff: Browser) -> None:
    claude = next(client for client in CLIENTS if client.name == "claude-ai")
    ids = [register(demo, claude.body)["client_id"] for _ in range(3)]
    link = f"/admin/oauth_provider/client/?q={ids[0]}"
    page = staff.open(link)
    row = next(path for path in page.links if re.search(r"/client/[0-9]+/change/", path))
    program = next(path for path in staff.open(row).links if "program=" in path)
    listed = staff.open(program).text
    assert all(client_id in listed for client_id in ids)
