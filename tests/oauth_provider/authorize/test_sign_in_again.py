"""`prompt`, `max_age` and `login_hint` (OpenID Connect Core section 3.1.2.1): who must sign in, and how often."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client as Browser

from oauth_provider.authorize.models import Interaction
from tests.oauth_provider.authorize.world import Answer, World


def sign_in(world: World, url: str, username: str = "ana-t") -> Any:
    """Sign in where `url` (a sign-in page) leads from; the answer to the form."""
    back = parse_qs(urlsplit(url).query)["next"][0]
    form = {"username": username, "password": "correct horse", "next": back}
    return world.browser.post("/accounts/login/", form)


def signed_in_ago(world: World, seconds: float) -> None:
    """Make the sign-in of this session older."""
    session = world.browser.session
    session["signed_in_at"] -= seconds
    session.save()


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "login consent"}])
def test_c11_a_fresh_sign_in_is_asked_for_once_and_not_in_circles(world: World, changes: dict[str, str]) -> None:
    asked = world.ask(**changes)
    assert asked["Location"].startswith("/accounts/login/?next=")
    back = sign_in(world, asked["Location"])
    assert back["Location"] == world.url(**changes)
    assert world.browser.get(back["Location"]).status_code == 200
    # The page may be loaded again; another request asks again
    assert world.browser.get(back["Location"]).status_code == 200
    assert world.ask(**changes, nonce="another")["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("first", ["nobody", "bruno-t"])
def test_c11_whoever_signs_in_is_asked_once(world: World, first: str) -> None:
    world.browser.logout()
    if first != "nobody":
        sign_in(world, "/accounts/login/?next=/connected-apps/", first)
    asked = world.ask(prompt="login")
    back = sign_in(world, asked["Location"])
    page = world.browser.get(back["Location"])
    assert page.status_code == 200
    assert b"<bdi>ana-t</bdi>" in page.content


def test_opening_the_request_again_without_signing_in_is_no_way_around(world: World) -> None:
    for _ in range(3):
        assert world.ask(prompt="login")["Location"].startswith("/accounts/login/")
    assert not Interaction.objects.exists()


@pytest.mark.parametrize(("age_s", "is_asked"), [(30, False), (3600, True)])
def test_max_age_asks_when_the_sign_in_is_older(world: World, age_s: int, is_asked: bool) -> None:
    signed_in_ago(world, age_s)
    assert ("Location" in world.ask(max_age="600")) is is_asked


def test_a_session_whose_age_is_not_known_is_too_old(world: World) -> None:
    session = world.browser.session
    del session["signed_in_at"]
    session.save()
    assert world.ask(max_age="999999")["Location"].startswith("/accounts/login/")


def test_prompt_none_cannot_ask_and_says_so(world: World, answer: Answer) -> None:
    signed_in_ago(world, 3600)
    got = answer(world.ask(prompt="none", max_age="600"))
    assert (got["error"], got["iss"]) == ("login_required", settings.PUBLIC_BASE_URL)


@pytest.mark.parametrize("value", ["-1", "soon", "1.5", "9" * 10])
def test_an_age_that_is_no_number_is_an_invalid_request(world: World, answer: Answer, value: str) -> None:
    assert answer(world.ask(max_age=value))["error"] == "invalid_request"


def test_prompt_none_with_another_value_is_an_invalid_request(world: World, answer: Answer) -> None:
    assert answer(world.ask(prompt="none login"))["error"] == "invalid_request"


@pytest.mark.parametrize("value", ["consent", "select_account", "create", "x y"])
def test_c10_other_prompts_show_the_page_with_the_account_and_a_way_to_change_it(world: World, value: str) -> None:
    html = world.ask(prompt=value).content.decode()
    assert "<bdi>ana-t</bdi>" in html
    assert 'action="/accounts/logout/"' in html


def test_the_client_may_say_whom_it_expects(world: World) -> None:
    world.browser.logout()
    page = world.browser.get(world.ask(login_hint='ana"><b>')["Location"])
    assert 'value="ana&quot;&gt;&lt;b&gt;"' in page.content.decode()


@pytest.mark.parametrize("hint", ["x\x00y", "x" * 255])
def test_a_hint_nobody_could_type_breaks_nothing(world: World, hint: str) -> None:
    browser = Browser()
    assert browser.get("/accounts/login/", {"login_hint": hint}).status_code == 200


def test_somebody_who_signs_in_again_need_not_type_her_name(world: World) -> None:
    page = world.browser.get(world.ask(prompt="login")["Location"]).content.decode()
    assert 'value="ana-t"' in page
    assert "once more" in page


def expired(world: World) -> Any:
    """The answer to a page that was shown in Portuguese and is over."""
    interaction = world.open(ui_locales="pt-BR")
    Interaction.objects.update(expires_at="2026-01-01T00:00:00Z")
    return world.decide(interaction)


@pytest.mark.parametrize("open_page", [lambda w: w.ask(ui_locales="pt", client_id="nope"), expired])
def test_errors_speak_the_language_of_the_request_too(world: World, open_page: Callable[[World], Any]) -> None:
    assert b'<html lang="pt-br"' in open_page(world).content
