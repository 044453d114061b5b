"""Signing in and out: session rotation, safe return, rates, lockout, events."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client as Browser
from django.test import RequestFactory
from pytest_django import Settings

from audit.ledger.models import Event
from oauth_provider.identities.address import client_address

LOGIN = "/accounts/login/"


@pytest.fixture
def ana(db: None) -> AbstractBaseUser:
    return get_user_model().objects.create_user("ana-s", password="correct horse")


def sign_in(client: Browser, password: str = "correct horse", **extra: str) -> Any:
    return client.post(LOGIN, {"username": "ana-s", "password": password, **extra})


def test_the_session_rotates_and_the_page_is_not_stored(client: Browser, ana: AbstractBaseUser) -> None:
    page = client.get(LOGIN)
    assert "no-store" in page["Cache-Control"]
    client.session["x"] = 1
    client.session.save()
    before = client.session.session_key
    assert sign_in(client).status_code == 302
    assert client.session.session_key != before
    assert Event.objects.filter(kind="account:signin:succeeded").count() == 1


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil"])
def test_next_never_leaves_this_host(client: Browser, ana: AbstractBaseUser, target: str) -> None:
    assert sign_in(client, next=target)["Location"] == "/connected-apps/"


def test_next_leads_back_to_the_authorization_request(client: Browser, ana: AbstractBaseUser) -> None:
    assert sign_in(client, next="/oauth/authorize?a=1&b=2")["Location"] == "/oauth/authorize?a=1&b=2"


def test_the_page_carries_next_through_the_form(client: Browser, ana: AbstractBaseUser) -> None:
    html = client.get(LOGIN, {"next": "/oauth/authorize?a=1"}).content.decode()
    assert 'name="next" value="/oauth/authorize?a=1"' in html


def test_a_failure_is_recorded_without_what_was_typed(client: Browser, ana: AbstractBaseUser) -> None:
    response = sign_in(client, "wrong")
    assert response.status_code == 200
    event = Event.objects.get(kind="account:signin:failed")
    assert (event.reason, event.subject) == ("bad_credentials", "")
    assert b"wrong" not in response.content


def test_five_failures_lock_the_account_for_this_address(client: Browser, ana: AbstractBaseUser) -> None:
    for _ in range(5):
        sign_in(client, "wrong")
    response = sign_in(client)
    assert (response.status_code, response["Retry-After"]) == (429, "900")
    assert b"15 minutes" in response.content
    assert "_auth_user_id" not in client.session
    reasons = Event.objects.filter(kind="account:signin:failed").order_by("timestamp", "id")
    assert list(reasons.values_list("reason", flat=True))[-1] == "locked_out"


def test_another_address_of_the_same_subscriber_is_no_way_around_the_lock(
    client: Browser, ana: AbstractBaseUser
) -> None:
    for number in range(5):
        client.post(LOGIN, {"username": "ana-s", "password": "wrong"}, REMOTE_ADDR=f"2001:db8::{number + 1}")
    form = {"username": "ana-s", "password": "correct horse"}
    assert client.post(LOGIN, form, REMOTE_ADDR="2001:db8::99").status_code == 429
    assert client.post(LOGIN, form, REMOTE_ADDR="2001:db8:0:1::1").status_code == 302


def test_the_twenty_first_attempt_in_a_minute_is_told_when_to_come_back(client: Browser, ana: AbstractBaseUser) -> None:
    for number in range(20):
        client.post(LOGIN, {"username": f"nobody-{number}", "password": "x"})
    response = sign_in(client)
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 65


def test_sign_out_is_a_post_and_is_recorded(client: Browser, ana: AbstractBaseUser) -> None:
    sign_in(client)
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/")["Location"] == LOGIN
    assert Event.objects.filter(kind="account:signout:succeeded").count() == 1


def test_an_inactive_person_cannot_sign_in(client: Browser, ana: AbstractBaseUser) -> None:
    get_user_model().objects.update(is_active=False)
    sign_in(client)
    assert "_auth_user_id" not in client.session


def test_the_start_page_is_connected_apps(client: Browser, db: None) -> None:
    assert client.get("/")["Location"] == "/connected-apps/"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        (0, "9.9.9.9", "127.0.0.1"),
        (1, "6.6.6.6, 9.9.9.9", "9.9.9.9"),
        (1, "junk", "127.0.0.1"),
        (2, "9.9.9.9", "127.0.0.1"),
    ],
)
def test_only_the_trusted_hop_names_the_address(
    settings: Settings, trusted: int, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = trusted
    request = RequestFactory().get("/", headers={"x-forwarded-for": forwarded})
    assert client_address(request) == expected
