"""What people see: the button, the straight way, signing out; and that nothing else came in with the library."""

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth import authenticate
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from tests.oauth_provider.identities.provider.company import Provider, come, is_signed_in, leave
from tests.staff_browser import make_staff

LOGIN = "/accounts/login/"


def hrefs(answer: Any) -> list[str]:
    """Every link of a page."""
    return [html.unescape(link) for link in re.findall(r'href="([^"]*)"', answer.content.decode())]


def test_without_a_provider_everything_is_as_it_was(client: Browser, db: None) -> None:
    assert b"Continue with" not in client.get(LOGIN).content
    assert [client.get(f"/accounts/provider/{tail}").status_code for tail in ("", "callback/")] == [404, 404]


def test_the_page_offers_the_provider_and_the_form(client: Browser, provider: Provider) -> None:
    page = client.get(LOGIN, {"next": "/connected-apps/?a=1", "login_hint": "m", "ui_locales": "pt"})
    assert b"Continue with Acme" in page.content
    assert b'name="password"' in page.content
    link = next(link for link in hrefs(page) if link.startswith("/accounts/provider/"))
    assert parse_qs(urlsplit(link).query) == {
        "next": ["/connected-apps/?a=1"],
        "login_hint": ["m"],
        "ui_locales": ["pt"],
    }


def test_a_name_is_text(client: Browser, provider: Provider, settings: Settings) -> None:
    settings.SIGN_IN_NAME = '<b>"Acme'
    assert b"<b>" not in client.get(LOGIN).content


def test_without_passwords_somebody_who_waits_goes_straight_there(
    client: Browser, provider: Provider, settings: Settings
) -> None:
    settings.SIGN_IN_PASSWORDS = False
    answer = client.get(LOGIN, {"next": "/connected-apps/"})
    assert answer["Location"] == "/accounts/provider/?next=%2Fconnected-apps%2F"
    page = client.get(LOGIN)
    assert b"Continue with Acme" in page.content
    assert b'name="password"' not in page.content


def test_from_a_form_of_ours_a_link_leads_there(client: Browser, provider: Provider, settings: Settings) -> None:
    settings.SIGN_IN_PASSWORDS = False
    page = client.get(LOGIN, {"next": "/connected-apps/"}, headers={"sec-fetch-site": "same-origin"})
    assert b"Continue with Acme" in page.content


def test_without_passwords_none_opens_anything(client: Browser, provider: Provider, settings: Settings) -> None:
    settings.SIGN_IN_PASSWORDS = False
    make_staff("sam")
    assert client.post(LOGIN, {"username": "sam", "password": "for tests only"}).status_code == 405
    assert authenticate(RequestFactory().post("/"), username="sam", password="for tests only") is None
    basic = {"authorization": "Basic c2FtOmZvciB0ZXN0cyBvbmx5"}
    assert client.get("/api/manage/v1/clients/", headers=basic).status_code == 401


def test_whoever_is_not_staff_goes_in_no_circle_at_the_admin(
    client: Browser, provider: Provider, settings: Settings
) -> None:
    settings.SIGN_IN_PASSWORDS = False
    come(client, provider)
    page = client.get("/admin/", follow=True)
    assert (page.status_code, page.redirect_chain[-1][0].partition("?")[0]) == (200, LOGIN)
    assert b"not one of the staff" in page.content


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil", "a\x00b", ""]
)
def test_the_way_back_never_leaves_this_host(client: Browser, provider: Provider, target: str) -> None:
    assert come(client, provider, target)["Location"] == "/connected-apps/"


def test_the_session_rotates_and_nothing_is_stored_by_browsers(client: Browser, provider: Provider) -> None:
    assert "no-store" in client.get("/accounts/provider/")["Cache-Control"]
    before = client.session.session_key
    answer = come(client, provider)
    assert "no-store" in answer["Cache-Control"]
    assert client.session.session_key != before


@pytest.mark.parametrize("hint", ["x\x00y", "x" * 5000, "a\nb", "\ud800"])
def test_a_hint_nobody_could_type_is_not_passed_on_whole(client: Browser, provider: Provider, hint: str) -> None:
    query = parse_qs(urlsplit(leave(client, login_hint=hint.encode("utf-8", "replace").decode())).query)
    assert len(query.get("login_hint", [""])[0]) <= 255
    assert "\x00" not in query.get("login_hint", [""])[0]


@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_other_methods_are_not_answered(client: Browser, provider: Provider, method: str) -> None:
    statuses = [getattr(client, method)(f"/accounts/provider/{tail}").status_code for tail in ("", "callback/")]
    assert set(statuses) <= {405, 200}
    assert not is_signed_in(client)


def test_signing_out_goes_on_to_the_provider(client: Browser, provider: Provider) -> None:
    come(client, provider)
    kept = str(dict(client.session))
    page = client.post("/accounts/logout/")
    assert (page.status_code, is_signed_in(client)) == (200, False)
    onward = next(link for link in hrefs(page) if link.startswith(provider.issuer))
    assert f'content="0;url={html.escape(onward)}"' in page.content.decode()
    query = parse_qs(urlsplit(onward).query)
    assert onward.startswith(f"{provider.issuer}/leave?")
    assert query["post_logout_redirect_uri"][0].endswith("/accounts/login/")
    token = query["id_token_hint"][0]
    assert token.count(".") == 2
    # At rest it is sealed, and the session that had it is gone
    assert token not in kept


def test_a_provider_without_such_a_place_is_left_alone(client: Browser, provider: Provider) -> None:
    provider.metadata = {"end_session_endpoint": None}
    come(client, provider)
    assert client.post("/accounts/logout/")["Location"] == LOGIN


def test_whoever_signed_in_with_a_password_signs_out_here_only(client: Browser, provider: Provider) -> None:
    make_staff("sam")
    client.post(LOGIN, {"username": "sam", "password": "for tests only"})
    assert client.post("/accounts/logout/")["Location"] == LOGIN


def test_it_speaks_portuguese(client: Browser, provider: Provider) -> None:
    page = client.get("/accounts/provider/callback/", headers={"accept-language": "pt-BR"})
    assert "Comece de novo" in page.content.decode()


@pytest.mark.parametrize(
    "name", ["account_signup", "account_login", "account_email", "account_reset_password", "socialaccount_signup"]
)
def test_the_library_brings_no_page(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_the_library_brings_no_page_of_the_admin() -> None:
    apps = {model._meta.app_label for model in admin.site._registry}  # noqa: SLF001 - Django has no public list
    assert not {"account", "socialaccount"} & apps
