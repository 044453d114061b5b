"""Fifty rounds of eight at once, on PostgreSQL: one pair each time, no 5xx, and no row that nothing owns."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client as Browser
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from oauth_provider.tokens.models import AuthorizationCode, FamilyToken, TokenFamily
from tests.agreed import World
from tests.at_once import at_once

ROUNDS, TIMES = 50, 8

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def test_one_code_redeemed_by_eight(world: World) -> None:
    for _round in range(ROUNDS):
        code = world.code()
        answers = at_once([alone(world, lambda own, code=code: own.redeem(code))] * TIMES)  # type: ignore[misc]
        assert sorted(status for status, _body in answers) == [200] + [400] * (TIMES - 1)
        assert {body["error"] for status, body in answers if status == 400} == {"invalid_grant"}
    # Every code was presented again, so every family is dead and opens nothing
    assert TokenFamily.objects.filter(revoked_at=None).count() == 0
    assert TokenFamily.objects.count() == ROUNDS
    assert AuthorizationCode.objects.filter(redeemed_at=None).count() == 0
    assert get_grant_model().objects.count() == 0
    assert get_refresh_token_model().objects.filter(revoked=None).count() == 0
    assert_no_orphans()


def test_one_refresh_token_rotated_by_eight(world: World) -> None:
    pair = world.pair()
    for _round in range(ROUNDS):
        token = pair["refresh_token"]
        answers = at_once([alone(world, lambda own, token=token: own.refresh(token))] * TIMES)  # type: ignore[misc]
        assert [status for status, _body in answers] == [200] * TIMES
        assert len({(body["access_token"], body["refresh_token"]) for _status, body in answers}) == 1
        pair = answers[0][1]
    assert TokenFamily.objects.get().revoked_at is None
    assert get_refresh_token_model().objects.filter(revoked=None).count() == 1
    assert get_refresh_token_model().objects.count() == ROUNDS + 1
    assert_no_orphans()
    assert world.refresh(pair["refresh_token"]).status_code == 200


def alone(world: World, act: Callable[[World], Any]) -> Callable[[], tuple[int, dict[str, Any]]]:
    """What a process of its own does: the status and the body it gets."""

    def do() -> tuple[int, dict[str, Any]]:
        answer = act(replace(world, browser=Browser()))
        return answer.status_code, answer.json()

    return do


def assert_no_orphans() -> None:
    """Every token belongs to a family that exists."""
    access, refresh = get_access_token_model().objects, get_refresh_token_model().objects
    assert not access.exclude(pk__in=FamilyToken.objects.values("access_token")).exists()
    assert not refresh.exclude(token_family__in=TokenFamily.objects.values("pk")).exists()
