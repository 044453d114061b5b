"""Answers that are not the provider's, not for this browser, or not proven: none of them signs anybody in."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client as Browser
from joserfc.jwk import RSAKey

from audit.ledger.kinds import Decision, Kind
from tests.oauth_provider.identities.provider.company import (
    CLIENT_ID,
    CLIENT_SECRET,
    KEY,
    Provider,
    come,
    is_signed_in,
    leave,
)
from tests.proxy.issuers.idp import public
from tests.staff_browser import last_event


def refused(browser: Browser, answer: Any, reason: str, status: int = 400) -> None:
    """Nobody is signed in, the page says why, and the ledger too."""
    assert (answer.status_code, is_signed_in(browser)) == (status, False)
    assert reason in answer.content.decode()
    event = last_event(kind=Kind.ACCOUNT_SIGNIN_FAILED)
    assert (event.reason, event.status) == (reason, status)
    assert not User.objects.exists()


def test_the_request_carries_state_nonce_and_pkce(client: Browser, provider: Provider) -> None:
    asked = parse_qs(urlsplit(leave(client, next="/connected-apps/")).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["nonce"][0]) >= 22
    assert len(asked["state"][0]) >= 16
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}
    assert asked["redirect_uri"][0].endswith("/accounts/provider/callback/")
    assert not {"prompt", "max_age", "login_hint", "ui_locales"} & asked.keys()


def test_an_answer_started_in_another_browser_is_refused(client: Browser, provider: Provider) -> None:
    attackers = provider.approve(leave(Browser(), next="/connected-apps/"))
    refused(client, client.get(attackers), "unknown_state")
    # Not even a code is spent on it
    assert "/token" not in provider.asked


def test_an_answer_counts_once(client: Browser, provider: Provider) -> None:
    returned = provider.approve(leave(client, next="/connected-apps/"))
    assert client.get(returned).status_code == 302
    client.logout()
    assert client.get(returned).status_code == 400
    assert not is_signed_in(client)
    assert provider.asked.count("/token") == 1


def test_an_answer_after_ten_minutes_is_refused(
    client: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    returned = provider.approve(leave(client, next="/connected-apps/"))
    later = time.time() + 601
    monkeypatch.setattr("allauth.socialaccount.internal.statekit.time.time", lambda: later)
    refused(client, client.get(returned), "unknown_state")


@pytest.mark.parametrize("state", ["", "x", "x" * 5000, "a\x00b"])
def test_a_state_nobody_gave_is_refused(client: Browser, provider: Provider, state: str) -> None:
    refused(client, come(client, provider, state=state), "unknown_state")


@pytest.mark.parametrize("issuer", ["https://evil.example", None, ""])
def test_an_answer_of_another_issuer_is_refused(client: Browser, provider: Provider, issuer: str | None) -> None:
    refused(client, come(client, provider, iss=issuer), "answer_of_another_issuer")
    assert "/token" not in provider.asked


def test_an_issuer_that_was_not_promised_may_be_absent_but_not_wrong(client: Browser, provider: Provider) -> None:
    provider.metadata = {"authorization_response_iss_parameter_supported": None}
    refused(client, come(client, provider, iss="https://evil.example"), "answer_of_another_issuer")
    assert come(client, provider, iss=None).status_code == 302


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"error": "access_denied", "code": None}, "denied_at_provider"),
        ({"error": "server_error", "code": None, "error_description": "<b>x</b>"}, "refused_by_provider"),
        ({"code": None}, "refused_by_provider"),
        ({"code": ""}, "refused_by_provider"),
        ({"code": "stolen"}, "code_refused"),
        ({"code": "a\x00b"}, "code_refused"),
    ],
)
def test_a_refusal_and_a_wrong_code_are_told_apart(
    client: Browser, provider: Provider, answer: dict[str, str | None], reason: str
) -> None:
    page = come(client, provider, "/connected-apps/", **answer)
    refused(client, page, reason)
    assert b"<b>x" not in page.content


@pytest.mark.parametrize("status", [301, 302, 307, 401, 500])
def test_a_token_endpoint_that_refuses_or_redirects_is_not_followed(
    client: Browser, provider: Provider, status: int
) -> None:
    provider.token_status = status
    refused(client, come(client, provider), "code_refused")


def test_whoever_is_refused_can_go_on_with_what_she_was_doing(client: Browser, provider: Provider) -> None:
    page = come(client, provider, "/connected-apps/?a=1", error="access_denied", code=None)
    assert 'href="/accounts/login/?next=%2Fconnected-apps%2F%3Fa%3D1"' in page.content.decode()


@pytest.mark.parametrize("body", [b"{", b"[]", b'["access_token"]', b"<html>", b'{"access_token": 5}', b"\xff\xfe"])
def test_a_token_endpoint_that_talks_nonsense_breaks_nothing(client: Browser, provider: Provider, body: bytes) -> None:
    provider.token_body = body
    answer = come(client, provider)
    assert (answer.status_code, is_signed_in(client)) == (400, False)


@pytest.mark.parametrize("place", ["javascript:alert(1)", "http://login.example/userinfo", 5])
def test_further_endpoints_that_are_not_safe_are_not_used(client: Browser, provider: Provider, place: object) -> None:
    provider.metadata = {"userinfo_endpoint": place, "end_session_endpoint": place}
    provider.claims = {"email": None}
    assert come(client, provider).status_code == 302
    assert "/userinfo" not in provider.asked
    assert client.post("/accounts/logout/")["Location"] == "/accounts/login/"


LONG_AGO = int(time.time()) - 3600
BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "another client"},
    "no audience": {"aud": None},
    "odd audience": {"aud": {"a": 1}},
    "shared, and not said for whom": {"aud": [CLIENT_ID, "another"]},
    "for another party": {"azp": "another"},
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "over": {"exp": LONG_AGO},
    "without end": {"exp": None},
    "odd end": {"exp": "soon"},
    "not yet": {"iat": LONG_AGO * 2},
}


@pytest.mark.parametrize("claims", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
def test_an_id_token_that_is_not_for_this_sign_in_is_refused(
    client: Browser, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    refused(client, come(client, provider), "id_token_refused")


def with_a_secret(provider: Provider, secret: bytes) -> None:
    """HMAC with what is not private to the provider, said in the header."""
    provider.mac, provider.header = secret, {"alg": "HS256", "signed_as": "RS256"}


BAD_SIGNATURES: dict[str, Callable[[Provider], None]] = {
    "none": lambda provider: provider.header.update(alg="none"),
    "another key": lambda provider: setattr(provider, "signer", RSAKey.generate_key(2048, {"kid": "k1"})),
    "with the secret": lambda provider: with_a_secret(provider, CLIENT_SECRET.encode()),
    "with the public key": lambda provider: with_a_secret(provider, KEY.as_pem(private=False)),
    "three parts of nothing": lambda provider: setattr(provider, "id_token", "a.b.c"),
    "not a token": lambda provider: setattr(provider, "id_token", "junk"),
    "too long": lambda provider: setattr(provider, "id_token", "x" * 20_000),
    "an algorithm we do not take": lambda provider: provider.header.update(alg="HS256", signed_as="RS256"),
    "a key id nobody knows": lambda provider: provider.header.update(kid="k2"),
}


@pytest.mark.parametrize("forge", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES)
def test_an_id_token_the_provider_did_not_sign_is_refused(
    client: Browser, provider: Provider, forge: Callable[[Provider], None]
) -> None:
    forge(provider)
    answer = come(client, provider)
    assert (answer.status_code, is_signed_in(client)) == (400, False)
    assert last_event(kind=Kind.ACCOUNT_SIGNIN_FAILED).reason in {"id_token_refused", "id_token_missing"}


def test_a_userinfo_of_somebody_else_is_refused(client: Browser, provider: Provider) -> None:
    provider.claims = {"email": None}
    provider.userinfo = {"sub": "u-joao", "email": "joao@acme.example"}
    refused(client, come(client, provider), "userinfo_of_another_person")


def test_what_the_id_token_says_counts_more_than_the_userinfo(client: Browser, provider: Provider) -> None:
    provider.claims = {"email": None}
    provider.userinfo = {"email": "maria@acme.example", "preferred_username": "root"}
    come(client, provider)
    assert User.objects.get().username == "maria"


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"issuer": "https://evil.example"}, "provider_is_another_issuer"),
        ({"issuer": None}, "provider_is_another_issuer"),
        ({"jwks_uri": None}, "provider_metadata_incomplete"),
        ({"token_endpoint": "http://login.example/token"}, "provider_metadata_incomplete"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "provider_metadata_incomplete"),
        ({"authorization_endpoint": ["x"]}, "provider_metadata_incomplete"),
    ],
)
def test_metadata_that_are_not_the_issuers_or_not_safe_lead_nowhere(
    client: Browser, provider: Provider, metadata: dict[str, Any], reason: str
) -> None:
    provider.metadata = metadata
    refused(client, client.get("/accounts/provider/"), reason, status=502)


def test_a_provider_that_is_away_is_told_as_such(client: Browser, provider: Provider, settings: Any) -> None:
    settings.SIGN_IN_ISSUER = "http://127.0.0.1:9"
    refused(client, client.get("/accounts/provider/"), "provider_unreachable", status=502)
    assert last_event(kind=Kind.ACCOUNT_SIGNIN_FAILED).decision == Decision.ERROR


def test_a_key_that_is_new_is_asked_for(client: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    come(client, provider)
    provider.key = RSAKey.generate_key(2048, {"kid": "k2"})
    provider.header = {"kid": "k2"}
    now = time.time() + 61
    monkeypatch.setattr("oauth_provider.outbound.jwks.time.time", lambda: now)
    assert come(Browser(), provider).status_code == 302
    assert public(provider.key)["kid"] == "k2"
    assert provider.asked.count("/jwks") == 2


def test_sign_in_is_held_to_its_rate(client: Browser, provider: Provider) -> None:
    most = int(configured.OAUTH_RATES["signin"].partition("/")[0])
    answers = [client.get("/accounts/provider/callback/").status_code for _ in range(most + 1)]
    assert 429 in answers[-2:]
