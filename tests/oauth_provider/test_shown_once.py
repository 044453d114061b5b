"""A secret on its way to the page that shows it: sealed, once, not for long."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest

from oauth_provider import shown_once
from oauth_provider.shown_once import keep, take


@pytest.fixture
def request_() -> HttpRequest:
    """A request with a session."""
    request = HttpRequest()
    request.session = SessionStore()
    return request


def test_it_is_taken_once(request_: HttpRequest) -> None:
    keep(request_, name="client:1", secret="abc")
    assert [take(request_, name="client:1"), take(request_, name="client:1")] == ["abc", ""]


def test_each_is_taken_by_its_name(request_: HttpRequest) -> None:
    keep(request_, name="client:1", secret="abc")
    keep(request_, name="api_key:1", secret="def")
    assert take(request_, name="client:2") == ""
    assert [take(request_, name="api_key:1"), take(request_, name="client:1")] == ["def", "abc"]


def test_it_waits_sealed(request_: HttpRequest) -> None:
    keep(request_, name="client:1", secret="abcdefgh")
    assert "abcdefgh" not in str(dict(request_.session.items()))


def test_it_does_not_wait_for_ever(request_: HttpRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(request_, name="client:1", secret="abc")
    monkeypatch.setattr(shown_once, "MAX_AGE_S", -1)
    assert take(request_, name="client:1") == ""


def test_what_waited_too_long_is_forgotten_with_the_next(
    request_: HttpRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(request_, name="client:1", secret="abc")
    monkeypatch.setattr(shown_once, "MAX_AGE_S", -1)
    keep(request_, name="client:2", secret="def")
    monkeypatch.undo()
    assert take(request_, name="client:1") == ""


def test_a_key_that_is_gone_shows_nothing(request_: HttpRequest, settings: Any) -> None:
    keep(request_, name="client:1", secret="abc")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert take(request_, name="client:1") == ""
