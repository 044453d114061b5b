"""`prompt=login` and `max_age` reach the provider, and its word on when she signed in is what counts."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from audit.ledger.kinds import Kind
from tests.oauth_provider.authorize.world import World
from tests.oauth_provider.identities.provider.company import Provider, come, is_signed_in
from tests.staff_browser import last_event

AGO = 3600


@pytest.fixture
def world(asking: World, provider: Provider, settings: Settings) -> World:
    """Nobody is signed in, and nobody has a password."""
    settings.SIGN_IN_PASSWORDS = False
    asking.browser.logout()
    return asking


def asked_of_the_provider(world: World, **changes: str) -> tuple[str, dict[str, str]]:
    """Where a client's request leads a stranger: the provider's address and what it is asked there."""
    answer = world.browser.get(world.ask(**changes)["Location"])
    assert answer["Location"].startswith("/accounts/provider/?next=")
    url = world.browser.get(answer["Location"])["Location"]
    return url, {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def returned(world: World, provider: Provider, url: str, **claims: Any) -> Any:
    """She comes back with those claims; the page she lands on, or the refusal."""
    provider.claims = claims
    answer = world.browser.get(provider.approve(url))
    return world.browser.get(answer["Location"]) if answer.status_code == 302 else answer


def test_without_a_wish_nothing_is_asked(world: World, provider: Provider) -> None:
    url, asked = asked_of_the_provider(world)
    assert not {"prompt", "max_age"} & asked.keys()
    assert returned(world, provider, url, auth_time=int(time.time()) - AGO).status_code == 200


def test_hints_are_passed_on(world: World, provider: Provider) -> None:
    _url, asked = asked_of_the_provider(world, login_hint="maria@acme.example", ui_locales="pt-BR en")
    assert (asked["login_hint"], asked["ui_locales"]) == ("maria@acme.example", "pt-BR en")


def test_prompt_login_is_asked_of_the_provider_and_asked_once(world: World, provider: Provider) -> None:
    url, asked = asked_of_the_provider(world, prompt="login")
    assert asked["prompt"] == "login"
    page = returned(world, provider, url, auth_time=int(time.time()))
    assert page.status_code == 200
    assert b'value="allow"' in page.content


def test_a_provider_that_remembers_her_all_the_same_is_not_believed(world: World, provider: Provider) -> None:
    url, _asked = asked_of_the_provider(world, prompt="login")
    answer = returned(world, provider, url, auth_time=int(time.time()) - AGO)
    assert (answer.status_code, is_signed_in(world.browser)) == (400, False)
    assert last_event(kind=Kind.ACCOUNT_SIGNIN_FAILED).reason == "sign_in_too_old"


def test_prompt_login_of_a_provider_that_does_not_say_when(world: World, provider: Provider) -> None:
    url, _asked = asked_of_the_provider(world, prompt="login")
    assert returned(world, provider, url).status_code == 200


@pytest.mark.parametrize(
    ("age_s", "is_good"), [(10, True), (590, True), (AGO, False), (None, False), ("soon", False), (True, False)]
)
def test_max_age_is_asked_and_checked(world: World, provider: Provider, age_s: object, is_good: bool) -> None:
    url, asked = asked_of_the_provider(world, max_age="600")
    assert asked["max_age"] == "600"
    at = int(time.time()) - age_s if isinstance(age_s, int) and not isinstance(age_s, bool) else age_s
    answer = returned(world, provider, url, auth_time=at)
    assert (answer.status_code == 200) is is_good
    assert is_signed_in(world.browser) is is_good


def test_max_age_0_goes_in_no_circle(world: World, provider: Provider) -> None:
    url, asked = asked_of_the_provider(world, max_age="0")
    assert asked["max_age"] == "0"
    assert returned(world, provider, url, auth_time=int(time.time())).status_code == 200


def test_a_time_to_come_is_no_time(world: World, provider: Provider) -> None:
    url, _asked = asked_of_the_provider(world, max_age="600")
    assert returned(world, provider, url, auth_time=int(time.time()) + AGO).status_code == 400


def test_coming_back_remembered_is_no_way_around_prompt_login(world: World, provider: Provider) -> None:
    world.ask(prompt="login")
    provider.claims = {"auth_time": int(time.time()) - AGO}
    # Another page's sign-in, which the provider answers without asking her anything
    assert come(world.browser, provider).status_code == 302
    assert world.ask(prompt="login")["Location"].startswith("/accounts/login/")
    provider.claims = {}
    assert come(world.browser, provider).status_code == 302
    assert world.ask(prompt="login")["Location"].startswith("/accounts/login/")


def test_max_age_counts_from_when_she_proved_it_not_from_when_she_came(world: World, provider: Provider) -> None:
    provider.claims = {"auth_time": int(time.time()) - AGO}
    come(world.browser, provider)
    assert world.ask(max_age="600")["Location"].startswith("/accounts/login/")
    assert world.ask(max_age="7200").status_code == 200


def test_whoever_is_signed_in_is_asked_again_as_herself(world: World, provider: Provider) -> None:
    come(world.browser, provider)
    url, asked = asked_of_the_provider(world, prompt="login")
    assert asked["prompt"] == "login"
    assert returned(world, provider, url, auth_time=int(time.time())).status_code == 200


def test_somebody_else_who_signs_in_then_is_asked_once_too(world: World, provider: Provider) -> None:
    come(world.browser, provider)
    url, _asked = asked_of_the_provider(world, prompt="login")
    provider.person |= {"sub": "u-joao", "email": "joao@acme.example", "given_name": "João"}
    page = returned(world, provider, url, auth_time=int(time.time()))
    assert "<bdi>João Souza</bdi>" in page.content.decode()


def test_a_malformed_age_is_answered_after_the_sign_in(world: World, provider: Provider) -> None:
    url, asked = asked_of_the_provider(world, max_age="soon")
    assert "max_age" not in asked
    provider.claims = {}
    answer = world.browser.get(world.browser.get(provider.approve(url))["Location"])
    assert "error=invalid_request" in answer["Location"]


def test_nothing_of_it_depends_on_what_the_address_says(world: World, provider: Provider) -> None:
    browser = Browser()
    url = browser.get("/accounts/provider/", {"next": "/connected-apps/", "prompt": "none", "max_age": "1"})["Location"]
    assert not {"prompt", "max_age"} & parse_qs(urlsplit(url).query).keys()
