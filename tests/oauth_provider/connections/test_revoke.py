"""Everything that takes access away moves the revision every worker watches, with the change and never without it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from oauth2_provider.models import get_refresh_token_model

from audit.ledger.events import UserRef
from audit.ledger.models import Event
from oauth_provider.api_keys.create import create_api_key, revoke_api_key
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.clients.models import ClientSecret
from oauth_provider.clients.secrets import create_secret, retire_secret
from oauth_provider.clients.suspend import resume_client, suspend_client
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.revisions.read import read_all
from tests.agreed import World

STAFF = UserRef(user_id=99, external_id="staff")


def revision() -> int:
    return read_all().get("revocation", 0)


def replay_a_code(world: World) -> Callable[[], Any]:
    code = world.code()
    world.redeem(code)
    return lambda: world.redeem(code)


def give_a_token_back(world: World) -> Callable[[], Any]:
    token = world.pair()["refresh_token"]
    return lambda: world.post("/oauth/revoke", token=token)


def tidy_an_access_token(world: World) -> Callable[[], Any]:
    first = world.pair()
    world.refresh(first["refresh_token"])
    return lambda: world.post("/oauth/revoke", token=first["access_token"])


def suspend(world: World) -> Callable[[], Any]:
    return lambda: suspend_client(client=world.client, actor=STAFF, reason="test")


def resume(world: World) -> Callable[[], Any]:
    suspend(world)()
    return lambda: resume_client(client=world.client, actor=STAFF, reason="test")


def retire(world: World) -> Callable[[], Any]:
    create_secret(client=world.client, actor=STAFF)
    return lambda: retire_secret(secret=ClientSecret.objects.order_by("created_at")[0], actor=STAFF)


def take_a_key(world: World) -> Callable[[], Any]:
    del world
    create_api_key(name="nightly", scopes="", actor=STAFF)
    return lambda: revoke_api_key(api_key=ApiKey.objects.get(), actor=STAFF, reason="test")


def revoke(world: World) -> Callable[[], Any]:
    return lambda: revoke_connection(connection=world.connection, actor=STAFF, by="staff", reason="test")


ACTS = [replay_a_code, give_a_token_back, tidy_an_access_token, suspend, resume, retire, take_a_key, revoke]


@pytest.mark.parametrize("prepare", ACTS, ids=lambda act: act.__name__)
def test_every_worker_hears_of_it(world: World, prepare: Callable[[World], Callable[[], Any]]) -> None:
    act = prepare(world)
    before = revision()
    act()
    assert revision() > before


@pytest.mark.parametrize("prepare", [suspend, take_a_key, revoke], ids=lambda act: act.__name__)
def test_doing_it_again_changes_and_records_nothing(
    world: World, prepare: Callable[[World], Callable[[], Any]]
) -> None:
    act = prepare(world)
    act()
    events, moved = Event.objects.count(), revision()
    act()
    assert (Event.objects.count(), revision()) == (events, moved)


def test_staff_leave_their_name_and_their_reason(world: World) -> None:
    revoke_connection(connection=world.connection, actor=STAFF, by="staff", reason="r" * 900)
    event = Event.objects.get(kind="oauth:connection:revoked")
    connection = Connection.objects.get()
    assert (event.reason, event.note, event.target) == ("by_staff", "r" * 500, f"connection:{connection.pk}")
    assert event.actor not in ("", event.subject)
    assert (connection.revoked_by, connection.revocation_reason) == ("staff", "r" * 500)


def test_a_revocation_that_is_not_recorded_has_not_happened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.pair()

    def fail(**_fields: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("oauth_provider.connections.revoke.record", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        revoke_connection(connection=world.connection, actor=None, by="user", reason="")
    assert Connection.objects.get().is_live
    assert get_refresh_token_model().objects.filter(revoked=None).exists()


def test_a_connection_that_was_deleted_is_revoked_already(world: World) -> None:
    token = world.pair()["refresh_token"]
    connection = Connection.objects.get()
    Connection.objects.all().delete()
    revoke_connection(connection=connection, actor=None, by="user", reason="")
    assert world.refresh(token).json()["error"] == "invalid_grant"
