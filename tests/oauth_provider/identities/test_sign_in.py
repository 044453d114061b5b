"""Signing in and out: session rotation, safe return, rates, lockout, events."""

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import RequestFactory

from audit.ledger.models import Event
from oauth_provider.identities.address import client_address

LOGIN = "/accounts/login/"


@pytest.fixture
def ana(db):
    cache.clear()
    return get_user_model().objects.create_user("ana-s", password="correct horse")


def sign_in(client, password="correct horse", **extra):
    return client.post(LOGIN, {"username": "ana-s", "password": password, **extra})


def test_the_session_rotates_and_the_page_is_not_stored(client, ana):
    page = client.get(LOGIN)
    assert "no-store" in page["Cache-Control"]
    client.session["x"] = 1
    client.session.save()
    before = client.session.session_key
    assert sign_in(client).status_code == 302
    assert client.session.session_key != before
    assert Event.objects.filter(kind="account:signin:succeeded").count() == 1


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil"])
def test_next_never_leaves_this_host(client, ana, target):
    assert sign_in(client, next=target)["Location"] == "/connected-apps/"


def test_next_leads_back_to_the_authorization_request(client, ana):
    assert sign_in(client, next="/oauth/authorize?a=1&b=2")["Location"] == "/oauth/authorize?a=1&b=2"


def test_the_page_carries_next_through_the_form(client, ana):
    html = client.get(LOGIN, {"next": "/oauth/authorize?a=1"}).content.decode()
    assert 'name="next" value="/oauth/authorize?a=1"' in html


def test_a_failure_is_recorded_without_what_was_typed(client, ana):
    response = sign_in(client, "wrong")
    assert response.status_code == 200
    event = Event.objects.get(kind="account:signin:failed")
    assert (event.reason, event.subject) == ("bad_credentials", "")
    assert b"wrong" not in response.content


def test_five_failures_lock_the_account_for_this_address(client, ana):
    for _ in range(5):
        sign_in(client, "wrong")
    response = sign_in(client)
    assert response.status_code in (403, 429)
    assert "_auth_user_id" not in client.session


def test_the_twenty_first_attempt_in_a_minute_is_told_when_to_come_back(client, ana):
    for number in range(20):
        client.post(LOGIN, {"username": f"nobody-{number}", "password": "x"})
    response = sign_in(client)
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 65


def test_sign_out_is_a_post_and_is_recorded(client, ana):
    sign_in(client)
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/")["Location"] == LOGIN
    assert Event.objects.filter(kind="account:signout:succeeded").count() == 1


def test_an_inactive_person_cannot_sign_in(client, ana):
    get_user_model().objects.update(is_active=False)
    sign_in(client)
    assert "_auth_user_id" not in client.session


def test_the_start_page_is_connected_apps(client, db):
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
def test_only_the_trusted_hop_names_the_address(settings, trusted, forwarded, expected):
    settings.TRUSTED_PROXY_COUNT = trusted
    request = RequestFactory().get("/", headers={"x-forwarded-for": forwarded})
    assert client_address(request) == expected
