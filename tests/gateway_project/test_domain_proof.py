"""The proof that a domain is ours: exactly the token, or nothing."""

import pytest
from django.conf import settings
from django.test import Client

from gateway_project.environment import EnvironmentFault, read_environment

PATH = "/.well-known/openai-apps-challenge"


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    """A token as OpenAI shows it, in the environment."""
    token = "Yx3-9f_kQ2.7zA"
    monkeypatch.setattr(settings.ENVIRONMENT, "OPENAI_APPS_CHALLENGE", token)
    return token


@pytest.mark.django_db
def test_without_a_token_there_is_nothing(client: Client) -> None:
    assert client.get(PATH).status_code == 404


def test_the_token_and_nothing_else_is_answered(client: Client, token: str) -> None:
    answer = client.get(PATH)
    assert (answer.status_code, answer.content.decode()) == (200, token)
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    assert client.post(PATH).status_code == 405


@pytest.mark.parametrize("wrong", ["two words", "line\nbreak", "naïve", "x" * 501])
def test_what_no_token_looks_like_is_refused_at_start(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("OPENAI_APPS_CHALLENGE", wrong)
    with pytest.raises(EnvironmentFault, match="OPENAI_APPS_CHALLENGE"):
        read_environment()
