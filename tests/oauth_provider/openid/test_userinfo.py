"""The UserInfo endpoint (OpenID Connect Core section 5.3; RFC 6750 sections 2 and 3)."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client as Browser

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.identities.models import Identity
from oauth_provider.rates import DEFAULT_RATES
from oauth_provider.resources.models import TokenFormat
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.verify import verify_access_token
from tests.oauth_provider.authorize.world import World
from tests.oauth_provider.openid.sign_in import ALL, refreshed, tokens, userinfo

PERSON = {
    "sub": "user_2abc",
    "name": "Ana Souza",
    "given_name": "Ana",
    "family_name": "Souza",
    "preferred_username": "ana-t",
    "email": "ana@example.com",
    "email_verified": True,
}


def told(*names: str) -> dict[str, Any]:
    """Those of her claims."""
    return {name: PERSON[name] for name in names}


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid", told("sub")),
        ("openid email", told("sub", "email", "email_verified")),
        ("openid profile tool:read", told("sub", "name", "given_name", "family_name", "preferred_username")),
        (ALL, PERSON),
    ],
)
def test_s5_4_it_tells_what_the_scopes_open(world: World, scope: str, claims: dict[str, Any]) -> None:
    bought = tokens(world, scope=scope)
    answer = userinfo(bought["access_token"])
    assert (answer.status_code, answer.json()) == (200, claims)
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    event = Event.objects.filter(kind=Kind.OAUTH_USERINFO_READ).get()
    assert (event.client_id, sorted(event.fields)) == (world.public.client_id, sorted(claims))
    assert "ana@" not in repr(vars(event))


def test_s5_3_1_post_is_as_good_as_get(world: World) -> None:
    headers = {"authorization": f"bearer {tokens(world)['access_token']}"}
    assert Browser().post("/oauth/userinfo", headers=headers).json() == PERSON
    assert Browser().put("/oauth/userinfo", headers=headers).status_code == 405


def test_what_is_not_known_is_left_out_and_an_address_is_not_verified_by_itself(world: World) -> None:
    world.ana.first_name = world.ana.last_name = ""
    world.ana.save()
    Identity.objects.update(email_verified=False)
    token = tokens(world)["access_token"]
    assert userinfo(token).json() == told("sub", "preferred_username", "email") | {"email_verified": False}
    world.ana.email = ""
    world.ana.save()
    assert userinfo(token).json() == told("sub", "preferred_username")


@pytest.mark.parametrize("signed", [False, True])
def test_a_token_for_an_api_is_taken_when_it_carries_openid(world: World, signed: bool) -> None:
    world.resource.token_format = TokenFormat.JWT if signed else TokenFormat.OPAQUE
    world.resource.save()
    asked = {"scope": "openid tool:read", "resource": world.resource.identifier}
    bought = tokens(world, **asked)
    assert verify_access_token(bought["access_token"]).resources == (world.resource.identifier,)
    assert userinfo(bought["access_token"]).json() == told("sub")


@pytest.mark.parametrize("default", ["/api/v1/echo", ""])
def test_a_sign_in_without_a_resource_gets_a_token_that_opens_no_api(world: World, default: str) -> None:
    world.public.default_resource = default
    world.public.save()
    verified = verify_access_token(tokens(world)["access_token"])
    assert verified.resources == (f"{settings.PUBLIC_BASE_URL}/oauth/userinfo",)


@pytest.mark.parametrize(
    ("headers", "query", "status", "challenge"),
    [
        ({}, "", 401, 'Bearer realm="gatehouse"'),
        ({"authorization": "Basic YTpi"}, "", 401, 'Bearer realm="gatehouse"'),
        ({"authorization": "Bearer"}, "", 401, 'Bearer realm="gatehouse"'),
        ({"authorization": "Bearer x"}, "", 401, 'error="invalid_token"'),
        ({"authorization": "Bearer gh_at_\x00"}, "", 401, 'error="invalid_token"'),
        ({"authorization": f"Bearer eyJ{'x' * 9000}"}, "", 401, 'error="invalid_token"'),
        ({}, "?access_token=x", 400, 'error="invalid_request"'),
        ({"authorization": "Bearer x"}, "?access_token=x", 400, 'error="invalid_request"'),
    ],
)
def test_6750_s3_whoever_is_refused_is_challenged(
    world: World, headers: dict[str, str], query: str, status: int, challenge: str
) -> None:
    answer = Browser().get(f"/oauth/userinfo{query}", headers=headers)
    assert answer.status_code == status
    assert challenge in answer["WWW-Authenticate"]
    assert answer["Cache-Control"] == "no-store"
    assert Event.objects.filter(kind=Kind.OAUTH_USERINFO_REFUSED, status=status).count() == 1


def test_6750_s2_2_a_token_in_the_body_is_refused(world: World) -> None:
    answer = Browser().post("/oauth/userinfo", {"access_token": tokens(world)["access_token"]})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_6750_s3_1_a_token_without_openid_is_not_enough(world: World) -> None:
    answer = userinfo(tokens(world, scope="tool:read email")["access_token"])
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]
    assert 'scope="openid"' in answer["WWW-Authenticate"]


def test_no_session_opens_it(world: World) -> None:
    assert world.browser.get("/oauth/userinfo").status_code == 401


def revoke(world: World) -> None:
    """What a person does in Connected Apps."""
    revoke_connection(connection=Connection.objects.get(), actor=None, by="user", reason="")


def deactivate(world: World) -> None:
    """The person is no longer one."""
    world.ana.is_active = False
    world.ana.save()


def disable(world: World) -> None:
    """Staff no longer offer it."""
    Scope.objects.filter(name="openid").update(enabled=False)


@pytest.mark.parametrize(("what", "status"), [(revoke, 401), (deactivate, 401), (disable, 403)])
def test_what_ends_access_ends_it_here(world: World, what: Any, status: int) -> None:
    token = tokens(world)["access_token"]
    what(world)
    assert userinfo(token).status_code == status


def test_it_has_a_rate(world: World, settings: Any) -> None:
    settings.OAUTH_RATES = {**DEFAULT_RATES, "userinfo": "1/m"}
    assert userinfo("x").status_code == 401
    refused = userinfo("x")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0


def test_s11_whoever_is_not_given_leave_to_stay_gets_no_refresh_token(world: World) -> None:
    bought = tokens(world, given="openid")
    assert "refresh_token" not in bought
    assert userinfo(bought["access_token"]).json() == told("sub")
    assert refreshed(world, tokens(world)["refresh_token"]).status_code == 200
    # One that never asked is as every other client here: its person chose for how long
    assert "refresh_token" in tokens(world, scope="openid")


def test_s11_leave_to_stay_is_taken_back_from_tokens_that_are_out(world: World) -> None:
    bought = tokens(world)
    tokens(world, given="openid")
    refused = refreshed(world, bought["refresh_token"])
    assert refused.json()["error"] == "invalid_grant"
    assert Event.objects.filter(reason="offline_access_taken_back").count() == 1
