"""Log lines: JSON, with the request id, and never with a credential, however it got there."""

import io
import json
import logging
from collections.abc import Iterator
from logging.config import dictConfig
from typing import Any

import pytest
import structlog
from django.conf import settings
from oauthlib.common import Request

from gateway_project.logs import HIDDEN, drop_credentials, logging_config
from oauth_provider.api_keys.create import create_api_key
from oauth_provider.tokens.generators import opaque_access_token, refresh_token


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the process would write to standard error."""
    written = io.StringIO()
    configuration = logging_config()
    configuration["handlers"]["stderr"]["stream"] = written
    dictConfig(configuration)
    yield written
    dictConfig(settings.LOGGING)


def logged(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def cleaned(**values: object) -> dict[str, object]:
    return dict(drop_credentials(None, "info", dict(values)))


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "authorization",
        "Cookie",
        "Set-Cookie",
        "X-API-Key",
        "password",
        "client_secret",
        "code",
        "device_code",
        "id_token",
        "id_token_hint",
        "user_code",
        "token",
    ],
)
def test_a_value_with_a_credentials_name_is_hidden(name: str) -> None:
    assert cleaned(**{name: "hunter2hunter2"}) == {name: HIDDEN}
    assert cleaned(headers={name: "hunter2hunter2"}) == {"headers": {name: HIDDEN}}


@pytest.mark.parametrize(
    "text",
    [
        "GET /x?access_token=hunter2hunter2&page=2",
        "code=hunter2hunter2&state=abc",
        "https://chatgpt.com/aip/g-1/oauth/callback?code=hunter2hunter2&state=abc",
        "refused: Bearer hunter2hunter2",
        "Basic hunter2hunter2==",
    ],
)
def test_a_credential_inside_a_text_is_hidden(text: str) -> None:
    assert "hunter2" not in str(cleaned(event=text, nested=[{"deep": (text,)}]))


@pytest.mark.django_db
def test_whatever_this_server_makes_is_hidden_wherever_it_stands() -> None:
    made = [opaque_access_token(), refresh_token(Request("")), create_api_key(name="logs", scopes="", actor=None)]
    for credential in made:
        assert credential not in str(cleaned(event=f"seen {credential} somewhere"))


def test_what_is_no_credential_stays() -> None:
    assert cleaned(event="started", port=8000, path="/jobs?page=2") == {
        "event": "started",
        "port": 8000,
        "path": "/jobs?page=2",
    }


def test_both_kinds_of_loggers_write_one_json_line_with_the_request_id(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger("ours").warning("backend_left_out", backend="careers")
        logging.getLogger("theirs").warning("refused %s", "Bearer hunter2hunter2")
    ours, theirs = logged(lines)
    assert (ours["event"], ours["backend"], ours["request_id"], ours["level"]) == (
        "backend_left_out",
        "careers",
        "r-1",
        "warning",
    )
    assert (theirs["event"], theirs["request_id"], theirs["logger"]) == (f"refused {HIDDEN}", "r-1", "theirs")


def test_an_exception_is_one_line_too_and_hides_what_it_quotes(lines: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError("could not read Bearer hunter2hunter2")

    try:
        fail()
    except ValueError:
        logging.getLogger("theirs").exception("failed")
    (line,) = logged(lines)
    assert "could not read" in line["exception"]
    assert "hunter2" not in line["exception"]
