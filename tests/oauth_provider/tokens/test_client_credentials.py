"""A service that acts for itself (RFC 6749 section 4.4): no person, no refresh token, only what staff allowed."""

from collections.abc import Callable

import pytest

from audit.ledger.models import Event
from oauth_provider.clients.models import Client, Preset
from oauth_provider.clients.suspend import suspend_client
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.agreed import World


@pytest.fixture
def service(make_world: Callable[..., World]) -> World:
    """A confidential service."""
    return make_world(preset=Preset.SERVICE, authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS, redirect_uris="")


def test_it_gets_a_token_of_its_own(service: World) -> None:
    body = service.token(grant_type="client_credentials").json()
    assert set(body) == {"access_token", "expires_in", "token_type", "scope"}
    verified = verify_access_token(body["access_token"])
    assert (verified.user, verified.connection) == (None, "")
    assert verified.client_id == service.client.client_id
    assert verified.scopes == {"tool:read", "tool:write"}
    assert verified.resources == (service.connection.resource.identifier,)
    event = Event.objects.get(kind="oauth:token:issued")
    assert (event.operation, event.subject, event.token) == ("client_credentials", "", verified.fingerprint)


def test_it_may_ask_for_less(service: World) -> None:
    assert service.token(grant_type="client_credentials", scope="tool:read").json()["scope"] == "tool:read"


def test_its_defaults_are_what_it_gets_when_it_names_none(service: World) -> None:
    Client.objects.update(default_scopes="tool:read")
    assert service.token(grant_type="client_credentials").json()["scope"] == "tool:read"


@pytest.mark.parametrize("scope", ["nope", "tool:read nope", "tool:read other:read"])
def test_it_gets_nothing_it_is_not_allowed(service: World, scope: str) -> None:
    Scope.objects.create(name="other:read", title="Other")
    assert service.token(grant_type="client_credentials", scope=scope).json()["error"] == "invalid_scope"


def test_a_service_without_permissions_gets_no_token(service: World) -> None:
    Client.objects.update(allowed_scopes="")
    assert service.token(grant_type="client_credentials").json()["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("resource", "error"),
    [("http://elsewhere.example/api", "invalid_target"), ("/api/v1/other", "invalid_target"), ("/api/v1/echo", None)],
)
def test_its_tokens_are_for_its_own_resource(service: World, resource: str, error: str | None) -> None:
    register(path="/api/v1/other", title="Other")
    origin = service.connection.resource.identifier.removesuffix("/api/v1/echo")
    identifier = resource if resource.startswith("http") else origin + resource
    assert service.token(grant_type="client_credentials", resource=identifier).json().get("error") == error


def test_without_a_resource_of_its_own_it_gets_no_token(service: World) -> None:
    Client.objects.update(default_resource="")
    assert service.token(grant_type="client_credentials").json()["error"] == "invalid_target"


@pytest.mark.parametrize(
    "changes",
    [
        {"preset": Preset.OTHER},
        {"authorization_grant_type": Client.GRANT_AUTHORIZATION_CODE},
        {"preset": Preset.GPT, "authorization_grant_type": Client.GRANT_AUTHORIZATION_CODE},
    ],
    ids=["not-a-service", "another-grant", "a-gpt"],
)
def test_nobody_else_acts_for_itself(service: World, changes: dict[str, str]) -> None:
    Client.objects.update(**changes)
    assert service.token(grant_type="client_credentials").json()["error"] == "unauthorized_client"


def test_a_public_client_does_not_act_for_itself(make_world: Callable[..., World]) -> None:
    public = make_world(client_type=Client.CLIENT_PUBLIC, preset=Preset.SERVICE)
    assert public.token(grant_type="client_credentials").json()["error"] == "unauthorized_client"


def test_a_service_redeems_no_code(service: World) -> None:
    assert service.redeem(service.code()).json()["error"] == "unauthorized_client"


def test_what_staff_take_away_is_gone_at_once(service: World) -> None:
    token = service.token(grant_type="client_credentials").json()["access_token"]
    Scope.objects.filter(name="tool:write").update(enabled=False)
    assert verify_access_token(token).scopes == {"tool:read"}
    Client.objects.update(allowed_scopes="tool:write")
    assert verify_access_token(token).scopes == frozenset()
    suspend_client(client=service.client, actor=None, reason="test")
    with pytest.raises(InvalidToken, match="suspended_client"):
        verify_access_token(token)
