"""A client gives tokens back (RFC 7009; rows H01 to H04)."""

from collections.abc import Callable

import pytest

from audit.ledger.models import Event
from oauth_provider.clients.models import Client, Preset
from oauth_provider.clients.suspend import suspend_client
from oauth_provider.revisions.read import read_all
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.agreed import World

Worlds = Callable[..., World]


def lives(token: str) -> bool:
    try:
        verify_access_token(token)
    except InvalidToken:
        return False
    return True


def revoke(world: World, token: str, **parameters: str) -> None:
    answer = world.post("/oauth/revoke", token=token, **parameters)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["Cache-Control"] == "no-store"


def test_h03_a_refresh_token_ends_its_family_and_the_last_family_the_connection(world: World) -> None:
    pair = world.pair()
    revoke(world, pair["refresh_token"])
    assert not lives(pair["access_token"])
    assert world.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    world.connection.refresh_from_db()
    assert (world.connection.is_live, world.connection.revoked_by) == (False, "client")
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert {"oauth:token:revoked", "oauth:connection:revoked"} <= kinds


def test_the_live_access_token_ends_its_family_as_well(world: World) -> None:
    pair = world.pair()
    revoke(world, pair["access_token"])
    assert world.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_rotated_refresh_token_ends_its_family_as_well(world: World) -> None:
    first = world.pair()
    second = world.refresh(first["refresh_token"]).json()
    revoke(world, first["refresh_token"])
    assert not lives(second["access_token"])


def test_an_earlier_access_token_ends_alone_and_takes_no_permission_with_it(world: World) -> None:
    first = world.pair()
    second = world.refresh(first["refresh_token"], scope="tool:read").json()
    revoke(world, first["access_token"])
    assert not lives(first["access_token"])
    assert lives(second["access_token"])
    assert world.refresh(second["refresh_token"]).json()["scope"] == "tool:read tool:write"


def test_another_family_of_the_connection_lives_on(world: World) -> None:
    one, other = world.pair(), world.pair()
    revoke(world, one["refresh_token"])
    assert not lives(one["access_token"])
    assert lives(other["access_token"])
    world.connection.refresh_from_db()
    assert world.connection.is_live


def test_h01_another_clients_token_is_none_of_its_business(world: World, make_world: Worlds) -> None:
    pair = world.pair()
    for token in pair["access_token"], pair["refresh_token"]:
        revoke(make_world(username="bruno"), token)
    assert lives(pair["access_token"])
    assert world.refresh(pair["refresh_token"]).status_code == 200


@pytest.mark.parametrize("token", ["unknown", "gh_at_" + "x" * 43, "gh_rt_" + "x" * 43, "x" * 4000, "ção"])
def test_h02_an_unknown_token_is_revoked_already(world: World, token: str) -> None:
    revoke(world, token)
    assert not Event.objects.filter(kind="oauth:token:revoked").exists()


def test_twice_is_the_same_as_once(world: World) -> None:
    token = world.pair()["refresh_token"]
    revoke(world, token)
    revoke(world, token)
    assert Event.objects.filter(kind="oauth:token:revoked").count() == 1


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_a_wrong_hint_does_not_matter(world: World, hint: str) -> None:
    pair = world.pair()
    revoke(world, pair["refresh_token"], token_type_hint=hint)
    assert not lives(pair["access_token"])


def test_a_public_client_gives_its_own_back(public: World) -> None:
    pair = public.pair()
    revoke(public, pair["refresh_token"])
    assert not lives(pair["access_token"])


def test_a_service_gives_its_own_back(make_world: Worlds) -> None:
    world = make_world(preset=Preset.SERVICE, authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS)
    token = world.token(grant_type="client_credentials").json()["access_token"]
    before = read_all().get("revocation", 0)
    revoke(world, token)
    assert not lives(token)
    assert read_all()["revocation"] == before + 1


@pytest.mark.parametrize("secret", [None, "wrong"])
def test_h04_only_the_client_itself(world: World, secret: str | None) -> None:
    pair = world.pair()
    answer = world.post("/oauth/revoke", token=pair["refresh_token"], client_secret=secret)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert lives(pair["access_token"])


def test_a_suspended_client_is_refused(world: World) -> None:
    pair = world.pair()
    suspend_client(client=world.client, actor=None, reason="test")
    assert world.post("/oauth/revoke", token=pair["refresh_token"]).status_code == 401
