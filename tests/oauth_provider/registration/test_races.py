"""What happens at one moment: on PostgreSQL, where rows are locked."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser
from django.utils import timezone

from oauth_provider.clients.models import Client, ClientSecret
from oauth_provider.identities.external_id import user_ref
from oauth_provider.registration.invitations import create_invitation
from oauth_provider.registration.models import InitialAccessToken
from tests.at_once import at_once
from tests.oauth_provider.registration.newcomers import Newcomers
from tests.oauth_provider.registration.test_manage import replaced

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def test_an_invitation_for_two_lets_two_of_ten_in(newcomers: Newcomers) -> None:
    actor = user_ref(get_user_model().objects.create_user("sofia", is_staff=True))
    ends = timezone.now() + timedelta(days=1)
    value = create_invitation(name="Partner", max_uses=2, expires_at=ends, actor=actor).value
    statuses = at_once([partial(status_of_registration, newcomers, value)] * 10)
    assert sorted(statuses) == [201, 201, *[401] * 8]
    assert Client.objects.count() == 2
    assert InitialAccessToken.objects.get().uses == 2


def test_ten_changes_leave_one_secret(newcomers: Newcomers) -> None:
    made = newcomers.register(token_endpoint_auth_method="none")
    body = replaced(made, token_endpoint_auth_method="client_secret_post")
    answers = at_once([partial(change, made, body)] * 10)
    assert {answer.status_code for answer in answers} == {200}
    assert len([answer for answer in answers if "client_secret" in answer.json()]) == 1
    assert ClientSecret.objects.filter(retired_at=None).count() == 1


def test_of_ten_deletions_one_finds_the_client(newcomers: Newcomers) -> None:
    made = newcomers.register(token_endpoint_auth_method="none")
    newcomers.allow(made)
    answers = at_once([partial(delete, made)] * 10)
    assert sorted(answer.status_code for answer in answers) == [204, *[401] * 9]


def status_of_registration(newcomers: Newcomers, token: str) -> int:
    """One registration with an invitation."""
    return int(Newcomers(Browser(), newcomers.person).ask(token=token).status_code)


def change(made: dict[str, Any], body: dict[str, Any]) -> Any:
    """One PUT, by a program of its own."""
    return Browser().put(
        f"/oauth/register/{made['client_id']}",
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {made['registration_access_token']}"},
    )


def delete(made: dict[str, Any]) -> Any:
    """One DELETE."""
    token = made["registration_access_token"]
    return Browser().delete(f"/oauth/register/{made['client_id']}", headers={"Authorization": f"Bearer {token}"})
