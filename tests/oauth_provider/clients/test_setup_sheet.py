"""What a person must copy to the other side."""

from typing import Any

import pytest
from django.utils import translation
from pytest_django import Settings

from oauth_provider.clients.models import Client
from oauth_provider.clients.setup_sheet import awaits_callback, setup_sheet, steps

GPT = {"preset": "gpt", "allowed_scopes": "jobs:read jobs:write", "client_id": "abc"}


def lines(secret: str = "", **values: Any) -> dict[str, str]:
    """The sheet of a client, by label."""
    return {line.label: line.value for line in setup_sheet(Client(**values), secret=secret)}


def test_a_gpt_gets_every_field_of_its_editor_in_the_editors_words() -> None:
    with translation.override("pt-br"):
        sheet = lines(secret="s3cret", **GPT)
    assert list(sheet) == [
        "Client ID", "Client Secret", "Authorization URL", "Token URL", "Scope", "Token Exchange Method",
    ]  # fmt: skip
    assert (sheet["Client ID"], sheet["Client Secret"], sheet["Scope"]) == ("abc", "s3cret", "jobs:read jobs:write")


def test_without_a_secret_there_is_no_line_for_it() -> None:
    assert "Client Secret" not in lines(**GPT)


@pytest.mark.parametrize("preset", ["chatgpt", "claude", "claude-code", "cursor", "vscode"])
def test_what_speaks_mcp_is_told_the_servers_address_first(preset: str) -> None:
    label, value = next(iter(lines(preset=preset).items()))
    assert (label, value.endswith("/mcp")) == ("Server URL", True)


def test_a_service_needs_no_authorization_url() -> None:
    assert "Authorization URL" not in lines(preset="service")


@pytest.mark.parametrize("preset", ["gpt", "service", "claude", "other"])
def test_every_kind_is_told_what_to_do(preset: str) -> None:
    assert steps(Client(preset=preset))


@pytest.mark.parametrize(
    ("preset", "uris", "waits"), [("gpt", "", True), ("gpt", "https://chatgpt.com/x", False), ("service", "", False)]
)
def test_only_a_gpt_without_addresses_awaits_its_callback(preset: str, uris: str, waits: bool) -> None:
    assert awaits_callback(Client(preset=preset, redirect_uris=uris)) is waits


def test_a_gpt_with_an_api_gets_the_address_of_its_openapi_document() -> None:
    sheet = lines(**GPT, default_resource="/api/v1/gpt")
    assert sheet["Schema"].endswith("/api/v1/gpt/openapi.json?client_id=abc")


@pytest.mark.parametrize(
    ("values", "place"),
    [
        (GPT | {"default_resource": "/api/v1/gpt"}, "/api/v1/gpt/oauth"),
        (GPT | {"default_resource": "/api/v1/jobs"}, "/oauth"),
        ({"preset": "other", "default_resource": "/api/v1/gpt"}, "/oauth"),
    ],
)
def test_the_addresses_are_those_of_the_document_that_goes_with_them(
    settings: Settings, values: dict[str, str], place: str
) -> None:
    sheet = lines(**values)
    root = f"{settings.PUBLIC_BASE_URL}{place}"
    assert (sheet["Authorization URL"], sheet["Token URL"]) == (f"{root}/authorize", f"{root}/token")
