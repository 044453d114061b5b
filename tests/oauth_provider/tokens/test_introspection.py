"""What a resource server may learn about a token (RFC 7662; rows H05 and H06): those for its API, nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from oauth_provider.clients.models import Client, Preset
from oauth_provider.clients.suspend import suspend_client
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.identities.models import Identity
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.models import TokenFamily
from tests.agreed import World

INACTIVE = {"active": False}


@pytest.fixture
def resource_server(world: World, make_world: Callable[..., World]) -> World:
    """A service whose API the tokens of `world` are good for."""
    service = make_world(username="nobody", preset=Preset.SERVICE)
    service.client.introspects.add(world.connection.resource)
    return service


def ask(asking: World, token: str) -> dict[str, object]:
    answer = asking.post("/oauth/introspect", token=token)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    found: dict[str, object] = answer.json()
    return found


def test_an_access_token_says_for_whom_for_what_and_how_long(world: World, resource_server: World) -> None:
    Identity.objects.create(user=world.connection.user, external_id="user_2abc")
    pair = world.pair()
    row = get_access_token_model().objects.get()
    assert ask(resource_server, pair["access_token"]) == {
        "active": True,
        "iss": settings.PUBLIC_BASE_URL,
        "sub": "user_2abc",
        "client_id": world.client.client_id,
        "scope": "tool:read tool:write",
        "aud": [world.connection.resource.identifier],
        "iat": int(row.created.timestamp()),
        "exp": int(row.expires.timestamp()),
        "token_type": "Bearer",
    }


@pytest.mark.parametrize(
    "token", ["x", "gh_at_" + "x" * 43, "gh_rt_" + "x" * 43, "eyJhbGciOiJub25lIn0.e30.", "x" * 5000]
)
def test_h06_an_unknown_token_is_inactive_and_nothing_else(resource_server: World, token: str) -> None:
    assert ask(resource_server, token) == INACTIVE


def test_who_serves_no_api_is_told_nothing_not_even_about_its_own(
    world: World, make_world: Callable[..., World]
) -> None:
    caller = make_world(username="bruno", preset=Preset.SERVICE, default_resource="/api/v1/echo")
    pair = world.pair()
    for asking in (world, caller):
        assert ask(asking, pair["access_token"]) == ask(asking, pair["refresh_token"]) == INACTIVE


def test_nobody_is_told_about_refresh_tokens_and_asking_kills_nothing(world: World, resource_server: World) -> None:
    first = world.pair()
    second = world.refresh(first["refresh_token"]).json()
    get_refresh_token_model().objects.exclude(revoked=None).update(revoked=datetime(2020, 1, 1, tzinfo=UTC))
    for token in (first["refresh_token"], second["refresh_token"]):
        assert ask(resource_server, token) == ask(world, token) == INACTIVE
    assert TokenFamily.objects.get().revoked_at is None
    assert world.refresh(second["refresh_token"]).status_code == 200


def test_a_service_is_the_subject_of_its_own_token(make_world: Callable[..., World], resource_server: World) -> None:
    service = make_world(
        preset=Preset.SERVICE, authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS, redirect_uris=""
    )
    told = ask(resource_server, service.token(grant_type="client_credentials").json()["access_token"])
    assert told["sub"] == told["client_id"] == service.client.client_id


def test_what_opens_nothing_any_more_is_inactive(world: World, resource_server: World) -> None:
    pair = world.pair()
    revoke_connection(connection=world.connection, actor=None, by="user", reason="")
    assert ask(resource_server, pair["access_token"]) == INACTIVE


def test_the_tokens_of_an_inactive_user_are_inactive(world: World, resource_server: World) -> None:
    pair = world.pair()
    type(world.connection.user).objects.update(is_active=False)
    assert ask(resource_server, pair["access_token"]) == INACTIVE


def test_h05_only_clients_with_a_secret_may_ask(world: World, make_world: Callable[..., World]) -> None:
    public = make_world(client_type=Client.CLIENT_PUBLIC)
    for asking, secret in ((world, None), (world, "wrong"), (public, None)):
        answer = asking.post("/oauth/introspect", token="x", client_secret=secret)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_users_token_is_no_credential_here(world: World) -> None:
    token = world.pair()["access_token"]
    answer = world.browser.post(
        "/oauth/introspect",
        f"token={token}",
        content_type="application/x-www-form-urlencoded",
        headers={"authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_it_is_not_told_about_tokens_for_another_api(world: World, resource_server: World) -> None:
    token = world.pair()["access_token"]
    resource_server.client.introspects.set([register(path="/api/v1/other", title="Other")])
    assert ask(resource_server, token) == INACTIVE


ENDS: dict[str, Callable[[World], object]] = {
    "deactivated-user": lambda world: User.objects.filter(pk=world.connection.user_id).update(is_active=False),
    "removed-connection": lambda world: world.connection.delete(),
    "revoked-connection": lambda world: revoke_connection(
        connection=world.connection, actor=None, by="staff", reason="test"
    ),
    "expired-connection": lambda world: Connection.objects.filter(pk=world.connection.pk).update(
        expires_at=timezone.now()
    ),
    "suspended-client": lambda world: suspend_client(client=world.client, actor=None, reason="test"),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_whatever_takes_access_away_is_seen_at_the_next_question(
    world: World, resource_server: World, end: Callable[[World], object]
) -> None:
    pair, code = world.pair(), world.code()
    assert ask(resource_server, pair["access_token"])["active"]
    end(world)
    assert ask(resource_server, pair["access_token"]) == INACTIVE
    assert world.refresh(pair["refresh_token"]).json()["error"] in {"invalid_grant", "invalid_client"}
    assert world.redeem(code).json()["error"] in {"invalid_grant", "invalid_client"}


def test_a_disabled_scope_is_gone_from_every_answer(world: World, resource_server: World) -> None:
    pair, code = world.pair(), world.code()
    Scope.objects.filter(name="tool:write").update(enabled=False)
    assert ask(resource_server, pair["access_token"])["scope"] == "tool:read"
    assert world.redeem(code).json()["scope"] == "tool:read"
    Scope.objects.update(enabled=False)
    assert ask(resource_server, pair["access_token"])["scope"] == ""
    assert world.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
