"""The client of the environment: there after the first start, unchanged by the second."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from audit.ledger.models import Event
from oauth_provider.clients.bootstrap import bootstrap_client
from oauth_provider.clients.models import Client, ClientSecret, Preset
from oauth_provider.clients.secrets import matches
from oauth_provider.resources.registry import register
from oauth_provider.revisions.read import read_all
from oauth_provider.scopes.models import Scope

pytestmark = pytest.mark.django_db
SECRET = "s" * 43
CALLBACKS = ["https://chat.openai.com/aip/g-x/oauth/callback", "https://chatgpt.com/aip/g-x/oauth/callback"]


def start(secret: str = SECRET, uris: list[str] | None = None) -> Client:
    """Start with a client in the environment."""
    return bootstrap_client(client_id="recruiting-gpt", secret=secret, redirect_uris=uris or [])


def test_a_gpt_is_recognised_by_its_callbacks() -> None:
    Scope.objects.create(name="jobs:read", title="Search jobs")
    Scope.objects.create(name="old:read", title="Old", enabled=False)
    register(path="/api/v1/gpt", title="gpt")
    client = start(uris=CALLBACKS)
    assert (client.preset, client.default_resource, client.allowed_scopes) == (Preset.GPT, "/api/v1/gpt", "jobs:read")
    assert client.allow_json_token_requests
    assert not client.requires_pkce
    assert matches(client=client, secret=SECRET)


def test_a_client_that_returns_elsewhere_is_no_gpt() -> None:
    client = start(uris=[*CALLBACKS, "https://app.example/callback"])
    assert client.preset == Preset.OTHER
    assert client.requires_pkce


def test_a_second_start_changes_nothing() -> None:
    start(uris=CALLBACKS)
    events, revisions = Event.objects.count(), read_all()
    start(uris=CALLBACKS)
    assert (Event.objects.count(), read_all()) == (events, revisions)


def test_without_callbacks_it_waits_for_them_and_is_exempt_from_nothing() -> None:
    client = start()
    assert client.preset == Preset.GPT
    assert client.requires_pkce


def test_callbacks_that_staff_entered_survive_a_start_without_any() -> None:
    Client.objects.filter(pk=start().pk).update(redirect_uris=" ".join(CALLBACKS))
    assert start().redirect_uris.split() == CALLBACKS


@pytest.mark.parametrize(
    ("before", "after", "preset"),
    [(["https://app.example/cb"], CALLBACKS, Preset.GPT), (CALLBACKS, ["https://app.example/cb"], Preset.OTHER)],
)
def test_other_callbacks_decide_anew_whether_it_is_a_gpt(before: list[str], after: list[str], preset: str) -> None:
    start(uris=before)
    client = start(uris=after)
    client.refresh_from_db()
    assert (client.redirect_uris.split(), client.preset) == (after, preset)
    assert client.requires_pkce is (preset == Preset.OTHER)
    event = Event.objects.filter(kind="admin:object:changed").get()
    assert (event.reason, event.fields) == ("environment", ["redirect_uris", "preset"])


def test_a_new_secret_replaces_the_one_before() -> None:
    client = start()
    start(secret="t" * 43)
    assert matches(client=client, secret="t" * 43)
    assert not matches(client=client, secret=SECRET)


def test_a_secret_used_before_comes_back_to_life_once() -> None:
    client = start()
    start(secret="t" * 43)
    start()
    assert matches(client=client, secret=SECRET)
    assert ClientSecret.objects.count() == 2


def test_what_staff_changed_stays() -> None:
    Client.objects.filter(pk=start(uris=CALLBACKS).pk).update(name="Jobs", allowed_scopes="jobs:read")
    client = start(uris=CALLBACKS)
    assert (client.name, client.allowed_scopes) == ("Jobs", "jobs:read")


def test_a_secret_too_short_to_be_random_is_refused_where_it_matters(settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(ValidationError, match="OAUTH_CLIENT_SECRET"):
        start(secret="short")


def test_a_wildcard_is_no_callback() -> None:
    with pytest.raises(ValidationError):
        start(uris=["https://*.example/callback"])
    assert not Client.objects.exists()
