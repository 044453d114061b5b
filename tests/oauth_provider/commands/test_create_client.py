"""`create_client`: what must be copied to the other side, once."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from oauth_provider.clients.models import Client, ClientSecret, Preset
from oauth_provider.clients.secrets import matches
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope

pytestmark = pytest.mark.django_db
GPT = {"preset": "gpt", "name": "Career Copilot", "scopes": "jobs:read"}


@pytest.fixture(autouse=True)
def one_api() -> None:
    """A scope and the API it is of."""
    Scope.objects.create(name="jobs:read", title="Search jobs")
    register(path="/api/v1/gpt", title="gpt")


def create(**options: Any) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("create_client", stdout=out, **options)
    return out.getvalue()


def test_json_holds_everything_the_other_side_needs() -> None:
    facts = json.loads(create(**GPT, gpt_id="g-abc", json=True))
    client = Client.objects.get()
    assert facts["redirect_uris"] == [
        "https://chat.openai.com/aip/g-abc/oauth/callback",
        "https://chatgpt.com/aip/g-abc/oauth/callback",
    ]
    assert matches(client=client, secret=facts["client_secret"])
    assert facts["client_id"] == client.client_id
    assert facts["authorization_url"].endswith("/oauth/authorize")
    assert (facts["scopes"], facts["awaits_callback"]) == (["jobs:read"], False)


def test_the_secret_is_printed_once_and_stored_nowhere() -> None:
    printed = create(**GPT)
    secret = next(line.partition(": ")[2] for line in printed.splitlines() if line.startswith("Client Secret: "))
    assert printed.count(secret) == 1
    assert secret not in str(list(ClientSecret.objects.values()))


def test_the_only_api_is_what_a_gpt_calls() -> None:
    create(**GPT)
    assert Client.objects.get().default_resource == "/api/v1/gpt"


@pytest.mark.parametrize("preset", ["gpt", "service"])
def test_of_several_apis_one_must_be_named(preset: str) -> None:
    register(path="/api/v1/echo", title="echo")
    with pytest.raises(CommandError, match="/api/v1/echo, /api/v1/gpt"):
        create(**GPT | {"preset": preset})
    create(**GPT | {"preset": preset, "resource": "/api/v1/echo"})
    assert Client.objects.get().default_resource == "/api/v1/echo"


def test_an_api_that_is_not_there_is_refused() -> None:
    with pytest.raises(CommandError, match="--resource"):
        create(preset="claude", name="Claude", scopes="jobs:read", resource="/api/v1/nothing")


@pytest.mark.parametrize("preset", ["chatgpt", "claude", "cursor", "vscode"])
def test_clients_that_name_their_api_need_nothing_else(preset: str) -> None:
    facts = json.loads(create(preset=preset, name=preset, scopes="jobs:read", json=True))
    assert facts["client_secret"] is None
    assert facts["redirect_uris"]


def test_an_unknown_scope_is_refused_and_nothing_is_created() -> None:
    with pytest.raises(CommandError, match="jobs:delete"):
        create(**GPT | {"scopes": "jobs:read,jobs:delete"})
    assert not Client.objects.exists()


def test_every_preset_of_the_contract_is_a_choice() -> None:
    assert {"gpt", "chatgpt", "claude", "cursor", "vscode", "service"} <= set(Preset.values)
