"""What is cleaned opens nothing any more; what stays is needed to recognise a replay."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F, QuerySet
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from oauth_provider.clients.models import Client, Preset
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.tokens.cleanup import clean_tokens, count_spent_tokens
from oauth_provider.tokens.models import AuthorizationCode, FamilyToken, TokenFamily
from oauth_provider.tokens.verify import verify_access_token
from tests.agreed import World

DAY = timedelta(days=1)


def clean(*, later: timedelta = timedelta()) -> Counter[str]:
    """Clean as it would be done `later`; how many rows of each kind were deleted."""
    done: Counter[str] = Counter()
    for kind, deleted in clean_tokens(at=timezone.now() + later):
        done[kind] += deleted
    return +done


def rows() -> dict[str, int]:
    """How many rows there are of everything a code leads to."""
    tables: dict[str, QuerySet[Any]] = {
        "access": get_access_token_model().objects.all(),
        "refresh": get_refresh_token_model().objects.all(),
        "grants": get_grant_model().objects.all(),
        "codes": AuthorizationCode.objects.all(),
        "families": TokenFamily.objects.all(),
        "memberships": FamilyToken.objects.all(),
    }
    return {name: table.count() for name, table in tables.items()}


def age(by: timedelta) -> None:
    """Let everything have been made `by` earlier."""
    get_access_token_model().objects.update(expires=F("expires") - by)
    get_grant_model().objects.update(expires=F("expires") - by)
    get_refresh_token_model().objects.filter(revoked__isnull=False).update(revoked=F("revoked") - by)
    AuthorizationCode.objects.update(expires_at=F("expires_at") - by)
    TokenFamily.objects.update(created_at=F("created_at") - by, refreshed_at=F("refreshed_at") - by)


def test_nothing_live_is_touched(world: World) -> None:
    token = world.pair()["access_token"]
    before = rows()
    assert not clean()
    assert rows() == before
    assert verify_access_token(token).scopes


def test_a_family_older_than_its_client_allows_is_deleted_with_all_it_bought(world: World) -> None:
    pair = world.pair()
    world.refresh(pair["refresh_token"])
    age(31 * DAY)
    assert clean() == {"access_tokens": 2, "refresh_tokens": 2, "codes": 1, "families": 1}
    assert not any(rows().values())
    assert Connection.objects.get().is_live, "what a person gave is not a token"


def test_the_lifetime_is_that_of_the_client(make_world: Callable[..., World]) -> None:
    make_world(refresh_token_lifetime_s=7200).pair()
    make_world(username="bruno").pair()
    age(DAY)
    assert clean()["families"] == 1


def test_a_family_stays_while_an_access_token_of_it_lives(make_world: Callable[..., World]) -> None:
    world = make_world(refresh_token_lifetime_s=60)
    token = world.pair()["access_token"]
    TokenFamily.objects.update(refreshed_at=F("refreshed_at") - timedelta(minutes=2))
    assert not clean()
    assert verify_access_token(token).scopes


def test_a_replayed_refresh_token_is_still_recognised(world: World) -> None:
    first = world.pair()
    world.refresh(first["refresh_token"])
    age(DAY)
    clean()
    assert world.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert TokenFamily.objects.get().revoked_at is not None, "the replay killed the family"


def test_a_replayed_code_is_still_recognised(world: World) -> None:
    code = world.code()
    world.redeem(code)
    age(DAY)
    clean()
    assert world.redeem(code).json()["error"] == "invalid_grant"
    assert TokenFamily.objects.get().revoked_at is not None, "the replay killed the family"


def test_a_refresh_still_gets_everything_the_code_bought(world: World) -> None:
    refresh_token = world.pair()["refresh_token"]
    for _ in range(3):
        refresh_token = world.refresh(refresh_token, scope="tool:read").json()["refresh_token"]
        age(DAY)
    assert clean() == {"access_tokens": 4}
    assert world.refresh(refresh_token).json()["scope"] == "tool:read tool:write"


def test_what_a_revocation_left_behind_is_deleted(world: World) -> None:
    world.pair()
    revoke_connection(connection=world.connection, actor=None, by="user", reason="test")
    assert clean() == {"refresh_tokens": 1, "codes": 1, "families": 1}


def test_a_code_nobody_redeemed_is_deleted_once_it_expired(world: World) -> None:
    world.code()
    assert not clean()
    assert clean(later=timedelta(minutes=2)) == {"codes": 1, "grants": 1}


def test_an_expired_token_of_a_client_without_a_person_is_deleted(make_world: Callable[..., World]) -> None:
    service = make_world(
        preset=Preset.SERVICE, authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS, redirect_uris=""
    )
    assert service.token(grant_type="client_credentials", scope="tool:read").status_code == 200
    assert not clean()
    assert clean(later=DAY) == {"access_tokens": 1}


def test_the_count_is_what_is_deleted_then(world: World) -> None:
    for _ in range(3):
        world.refresh(world.pair()["refresh_token"])
    world.code()
    age(31 * DAY)
    assert count_spent_tokens(at=timezone.now()) == clean().total()


def test_more_connections_than_fit_into_one_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oauth_provider.tokens.cleanup.LOCKED", 2)
    monkeypatch.setattr("oauth_provider.tokens.cleanup.FOUND", 3)
    for number in range(5):
        connection = Connection.objects.create(
            user=world.connection.user,
            client=world.client,
            resource=world.connection.resource,
            redirect_host=f"{number}.example",
        )
        TokenFamily.objects.create(connection=connection, revoked_at=timezone.now())
    assert clean() == {"families": 5}


def test_a_sealed_pair_is_forgotten_once_no_retry_gets_it(world: World) -> None:
    world.refresh(world.pair()["refresh_token"])
    clean()
    assert TokenFamily.objects.get().sealed_pair
    clean(later=timedelta(minutes=1))
    assert TokenFamily.objects.get().sealed_pair == ""
