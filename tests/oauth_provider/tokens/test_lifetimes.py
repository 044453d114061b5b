"""How long what a person gave lives: unused, altogether, and as long as they chose (row E09)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from oauth_provider.clients.models import Client
from oauth_provider.connections.models import Connection
from oauth_provider.tokens.cleanup import clean_tokens
from oauth_provider.tokens.models import TokenFamily
from tests.agreed import World

DAY = timedelta(days=1)


def ago(*, refreshed: timedelta, begun: timedelta) -> None:
    """Move the family into the past."""
    now = timezone.now()
    TokenFamily.objects.update(refreshed_at=now - refreshed, created_at=now - begun)


@pytest.mark.parametrize(
    ("refreshed", "begun", "lives"),
    [
        pytest.param(29 * DAY, 29 * DAY, True, id="used-within-its-idle-lifetime"),
        pytest.param(30 * DAY, 30 * DAY, False, id="idle-for-too-long"),
        pytest.param(DAY, 179 * DAY, True, id="used-again-and-again"),
        pytest.param(DAY, 180 * DAY, False, id="absolute-lifetime-over"),
    ],
)
def test_e09_a_refresh_token_has_an_idle_and_an_absolute_lifetime(
    world: World, refreshed: timedelta, begun: timedelta, lives: bool
) -> None:
    pair = world.pair()
    ago(refreshed=refreshed, begun=begun)
    assert (world.refresh(pair["refresh_token"]).status_code == 200) is lives


def test_a_refresh_begins_the_idle_lifetime_anew_and_not_the_absolute_one(world: World) -> None:
    pair = world.pair()
    ago(refreshed=29 * DAY, begun=100 * DAY)
    world.refresh(pair["refresh_token"])
    family = TokenFamily.objects.get()
    assert timezone.now() - family.refreshed_at < timedelta(minutes=1)
    assert timezone.now() - family.created_at >= 100 * DAY


def test_both_are_the_clients_own(make_world: Callable[..., World]) -> None:
    world = make_world(refresh_token_lifetime_s=3600, refresh_token_absolute_lifetime_s=7200)
    pair = world.pair()
    ago(refreshed=timedelta(minutes=59), begun=timedelta(minutes=119))
    pair = world.refresh(pair["refresh_token"]).json()
    ago(refreshed=timedelta(), begun=timedelta(minutes=121))
    assert world.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_no_access_token_outlives_its_family(make_world: Callable[..., World]) -> None:
    world = make_world(refresh_token_absolute_lifetime_s=7200)
    pair = world.pair()
    ago(refreshed=timedelta(), begun=timedelta(minutes=110))
    assert 595 <= world.refresh(pair["refresh_token"]).json()["expires_in"] <= 600


def test_nothing_outlives_what_the_person_chose(world: World) -> None:
    Connection.objects.update(expires_at=timezone.now() + timedelta(minutes=10))
    pair = world.pair()
    assert 595 <= pair["expires_in"] <= 600
    row = get_access_token_model().objects.get()
    assert row.expires <= Connection.objects.get().expires_at
    Connection.objects.update(expires_at=timezone.now())
    assert world.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_family_whose_absolute_lifetime_is_over_is_cleaned_up(world: World) -> None:
    world.pair()
    ago(refreshed=DAY, begun=181 * DAY)
    get_access_token_model().objects.update(expires=timezone.now())
    assert ("families", 1) in list(clean_tokens(at=timezone.now()))


def test_the_lifetime_of_access_tokens_is_the_clients_own(make_world: Callable[..., World]) -> None:
    assert make_world(access_token_lifetime_s=77).pair()["expires_in"] == 77


def test_the_defaults(make_client: Callable[..., Client]) -> None:
    client = make_client()
    seconds = (client.refresh_token_lifetime_s, client.refresh_token_absolute_lifetime_s)
    assert seconds == (30 * 86400, 180 * 86400)
