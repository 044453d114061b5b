"""Several requests at one moment: one wins, nobody crashes, and what was taken away stays away (rows B09 and E06)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client as Browser
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model
from pytest_django import Settings

from audit.ledger.models import Event
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.rates import DEFAULT_RATES
from oauth_provider.tokens.exchange import TOKEN_EXCHANGE
from oauth_provider.tokens.exchange_grant import ACCESS_TOKEN_TYPE
from oauth_provider.tokens.models import TokenFamily
from tests.agreed import World, opens
from tests.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 8


def each(world: World, act: Callable[[World], Any]) -> Callable[[], tuple[int, dict[str, Any]]]:
    """What a client of its own does: the status and the body it gets."""

    def do() -> tuple[int, dict[str, Any]]:
        answer = act(replace(world, browser=Browser()))
        return answer.status_code, answer.json() if answer.content else {}

    return do


def winner(answers: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    """The body of the one that won; all others were refused as RFC 6749 says."""
    won = [body for status, body in answers if status == 200]
    lost = [(status, body.get("error")) for status, body in answers if status != 200]
    assert lost == [(400, "invalid_grant")] * (len(answers) - 1)
    return won[0]


def test_b09_a_code_is_redeemed_once_and_the_others_end_what_it_bought(world: World) -> None:
    code = world.code()
    won = winner(at_once([each(world, lambda client: client.redeem(code))] * TIMES))
    family = TokenFamily.objects.get()
    assert family.revoked_at is not None
    assert not opens(won["access_token"])
    assert get_refresh_token_model().objects.count() == 1
    assert not get_access_token_model().objects.exists()
    assert Event.objects.filter(kind="oauth:token:issued").count() == 1
    assert Event.objects.filter(kind="oauth:token:replayed").count() == TIMES - 1


def test_e06_a_refresh_token_is_rotated_once_and_everybody_gets_the_same_pair(world: World) -> None:
    first = world.pair()
    answers = at_once([each(world, lambda client: client.refresh(first["refresh_token"]))] * TIMES)
    assert [status for status, _body in answers] == [200] * TIMES
    assert len({(body["access_token"], body["refresh_token"]) for _status, body in answers}) == 1
    won = answers[0][1]
    assert opens(won["access_token"])
    assert get_access_token_model().objects.count() == 2
    assert get_refresh_token_model().objects.filter(revoked=None).count() == 1
    reasons = Event.objects.filter(kind="oauth:token:refreshed").values_list("reason", flat=True)
    assert sorted(reasons) == ["", *["retried"] * (TIMES - 1)]
    assert world.refresh(won["refresh_token"]).status_code == 200


@pytest.mark.parametrize("repetition", range(3))
def test_whatever_a_revocation_meets_nothing_opens_afterwards(world: World, repetition: int) -> None:
    del repetition
    pair, code = world.pair(), world.code()

    def revoke() -> tuple[int, dict[str, Any]]:
        revoke_connection(connection=world.connection, actor=None, by="user", reason="")
        return 200, {}

    answers = at_once(
        [
            each(world, lambda client: client.refresh(pair["refresh_token"])),
            each(world, lambda client: client.redeem(code)),
            revoke,
            each(world, lambda client: client.post("/oauth/revoke", token=pair["access_token"])),
            each(world, lambda client: client.post("/oauth/introspect", token=pair["access_token"])),
        ]
    )
    assert {status for status, _body in answers} <= {200, 400}
    issued = [body["access_token"] for _status, body in answers if "access_token" in body]
    assert not any(opens(token) for token in [pair["access_token"], *issued])
    assert not get_refresh_token_model().objects.filter(revoked=None).exists()
    assert not get_grant_model().objects.exists()
    assert Event.objects.filter(kind="oauth:connection:revoked").count() == 1


def test_a_connection_is_revoked_once_however_often_it_is_asked_for(world: World) -> None:
    world.pair()

    def revoke() -> None:
        revoke_connection(connection=world.connection, actor=None, by="user", reason="")

    at_once([revoke] * TIMES)
    assert Event.objects.filter(kind="oauth:connection:revoked").count() == 1
    assert Connection.objects.get().revoked_at is not None


def test_two_families_of_one_connection_do_not_wait_in_a_circle(world: World) -> None:
    pairs = [world.pair() for _ in range(4)]
    acts = [each(world, lambda client, token=pair["refresh_token"]: client.refresh(token)) for pair in pairs]  # type: ignore[misc]
    assert [status for status, _body in at_once(acts)] == [200] * 4


@pytest.fixture
def no_rates(settings: Settings) -> None:
    """Hundreds of requests from one address within a minute."""
    settings.OAUTH_RATES = dict.fromkeys(DEFAULT_RATES, "1000000/m")


@pytest.mark.services
@pytest.mark.usefixtures("no_rates")
@pytest.mark.parametrize("given_back", ["subject", "connection"])
def test_whatever_an_exchange_meets_nothing_opens_afterwards(make_world: Callable[..., World], given_back: str) -> None:
    world = make_world(may_exchange_tokens=True)
    for _ in range(10):
        subject = world.pair()["access_token"]

        def exchange(client: World, subject: str = subject) -> Any:
            return client.token(grant_type=TOKEN_EXCHANGE, subject_token=subject, subject_token_type=ACCESS_TOKEN_TYPE)

        def give_back(client: World, subject: str = subject) -> Any:
            return client.post("/oauth/revoke", token=subject)

        if given_back == "subject":
            # Without its refresh token it goes alone, with what it was exchanged for
            get_refresh_token_model().objects.update(access_token=None)
        answers = at_once([each(world, exchange), each(world, give_back), *[each(world, exchange)] * 3])
        assert {status for status, _body in answers} <= {200, 400}
        issued = [body["access_token"] for _status, body in answers if "access_token" in body]
        assert not any(opens(token) for token in [subject, *issued])
        Connection.objects.update(revoked_at=None)
