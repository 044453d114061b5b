"""A refresh repeated within a minute gets the same pair, though nothing is stored in clear (rows E04 to E07)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from audit.ledger.models import Event
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.tokens.issued import Issued
from oauth_provider.tokens.models import TokenFamily
from oauth_provider.tokens.retry import RETRY_WINDOW, open_pair, seal_pair
from tests.agreed import World, opens

Worlds = Callable[..., World]


def rotated_ago(ago: timedelta) -> None:
    """Move every rotation into the past."""
    get_refresh_token_model().objects.exclude(revoked=None).update(revoked=timezone.now() - ago)


def events() -> list[tuple[str, str]]:
    """Kind and reason of the refreshes, in order."""
    of_refreshes = Event.objects.filter(operation="refresh_token") | Event.objects.filter(kind="oauth:token:replayed")
    return list(of_refreshes.order_by("timestamp", "id").values_list("kind", "reason"))


def test_e05_a_retry_gets_the_same_pair(world: World) -> None:
    first = world.pair()
    second = world.refresh(first["refresh_token"]).json()
    third = world.refresh(first["refresh_token"])
    assert third.status_code == 200
    assert third["Cache-Control"] == "no-store"
    body = third.json()
    assert 0 <= second.pop("expires_in") - body.pop("expires_in") <= 5
    assert body == second
    assert get_refresh_token_model().objects.count() == 2
    assert get_access_token_model().objects.count() == 2
    assert world.refresh(second["refresh_token"]).status_code == 200


def test_events_tell_a_refresh_a_retry_and_a_replay_apart(world: World) -> None:
    token = world.pair()["refresh_token"]
    world.refresh(token)
    world.refresh(token)
    rotated_ago(RETRY_WINDOW)
    world.refresh(token)
    assert events() == [
        ("oauth:token:refreshed", ""),
        ("oauth:token:refreshed", "retried"),
        ("oauth:token:replayed", "refresh_token_replayed"),
    ]


@pytest.mark.parametrize(("ago", "lives"), [(RETRY_WINDOW - timedelta(seconds=5), True), (RETRY_WINDOW, False)])
def test_e04_the_window_is_a_minute(world: World, ago: timedelta, lives: bool) -> None:
    first = world.pair()
    second = world.refresh(first["refresh_token"]).json()
    rotated_ago(ago)
    assert (world.refresh(first["refresh_token"]).status_code == 200) is lives
    assert opens(second["access_token"]) is lives


def test_a_retry_after_its_successor_was_used_is_a_replay(world: World) -> None:
    first = world.pair()
    second = world.refresh(first["refresh_token"]).json()
    third = world.refresh(second["refresh_token"]).json()
    assert world.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert not any(opens(pair["access_token"]) for pair in (first, second, third))
    assert TokenFamily.objects.get().revoked_at is not None


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_e07_what_was_given_back_is_not_given_again(world: World, kind: str) -> None:
    first = world.pair()
    second = world.refresh(first["refresh_token"]).json()
    world.post("/oauth/revoke", token=second[kind])
    assert world.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"


def test_e10_a_retry_after_the_person_ended_the_connection_gets_nothing(world: World) -> None:
    first = world.pair()
    world.refresh(first["refresh_token"])
    revoke_connection(connection=world.connection, actor=None, by="user", reason="")
    assert world.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert TokenFamily.objects.get().sealed_pair == ""


def test_a_retry_of_another_client_gets_nothing_and_kills_nothing(world: World, make_world: Worlds) -> None:
    first = world.pair()
    second = world.refresh(first["refresh_token"]).json()
    assert make_world(username="bruno").refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert opens(second["access_token"])


@pytest.mark.parametrize(
    ("parameters", "error"),
    [({"scope": "tool:read admin:all"}, "invalid_scope"), ({"resource": "https://x.example/"}, "invalid_target")],
)
def test_a_retry_is_checked_like_any_refresh(world: World, parameters: dict[str, str], error: str) -> None:
    first = world.pair()
    world.refresh(first["refresh_token"])
    assert world.refresh(first["refresh_token"], **parameters).json()["error"] == error


def test_a_retry_by_somebody_who_was_deactivated_gets_nothing(world: World) -> None:
    first = world.pair()
    world.refresh(first["refresh_token"])
    type(world.connection.user).objects.update(is_active=False)
    assert world.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"


def test_the_database_alone_opens_nothing(world: World) -> None:
    first = world.pair()
    second = world.refresh(first["refresh_token"]).json()
    stored: list[Any] = [
        *TokenFamily.objects.values(),
        *get_refresh_token_model().objects.values(),
        *get_access_token_model().objects.values(),
    ]
    raw = [pair[kind] for pair in (first, second) for kind in ("access_token", "refresh_token")]
    assert not [token for token in raw if token in str(stored)]
    sealed = TokenFamily.objects.get().sealed_pair
    assert open_pair(sealed, paid_with=second["refresh_token"]) is None
    for row in get_refresh_token_model().objects.all():
        assert open_pair(sealed, paid_with=row.token_checksum) is None


def test_the_pair_opens_with_what_paid_for_it_and_nothing_else() -> None:
    issued = Issued(access_token="a", refresh_token="b", scope="tool:read", expires_at=timezone.now())
    sealed = seal_pair(issued, paid_with="gh_rt_1")
    assert open_pair(sealed, paid_with="gh_rt_1") == issued
    assert open_pair(sealed, paid_with="gh_rt_2") is None
    assert open_pair("", paid_with="gh_rt_1") is None
