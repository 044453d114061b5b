"""Several polls and several decisions at one moment: one wins, nobody crashes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from audit.ledger.models import Event
from oauth_provider.authorize.models import Interaction
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.device.models import DeviceCode
from oauth_provider.tokens.models import TokenFamily
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.at_once import at_once
from tests.oauth_provider.device.device import Device

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 8


def poll(device: Device, started: dict[str, Any]) -> Callable[[], tuple[int, dict[str, Any]]]:
    """What one of several processes of the device does."""

    def do() -> tuple[int, dict[str, Any]]:
        answer = device.poll(started)
        return answer.status_code, answer.json()

    return do


def decide(device: Device, user: Any, started: dict[str, Any], decision: str) -> Callable[[], tuple[int, str]]:
    """Somebody who looks at the consent page and clicks."""
    browser = Browser()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.post("/device", {"user_code": started["user_code"]}).status_code == 200
    form = {"interaction": Interaction.objects.latest("created_at").pk, "decision": decision, "scope": ["tool:read"]}

    def do() -> tuple[int, str]:
        answer = browser.post("/oauth/authorize", form)
        return answer.status_code, answer.get("Location", "")

    return do


def test_a_code_is_redeemed_once_and_the_others_end_what_it_bought(device: Device) -> None:
    started = device.start()
    device.decide(started)
    answers = at_once([poll(device, started)] * TIMES)
    won = [body for status, body in answers if status == 200]
    lost = [(status, body.get("error")) for status, body in answers if status != 200]
    assert lost == [(400, "invalid_grant")] * (TIMES - 1)
    assert TokenFamily.objects.get().revoked_at is not None
    with pytest.raises(InvalidToken):
        verify_access_token(won[0]["access_token"])
    assert Event.objects.filter(kind="oauth:token:replayed").count() == TIMES - 1


def test_impatient_polls_are_told_apart(device: Device) -> None:
    started = device.start()
    answers = at_once([poll(device, started)] * TIMES)
    assert sorted(body["error"] for _status, body in answers) == ["authorization_pending", *["slow_down"] * (TIMES - 1)]
    assert DeviceCode.objects.get().interval_s == 5 + 5 * (TIMES - 1)


@pytest.mark.parametrize("repetition", range(3))
def test_two_people_who_know_one_code_do_not_both_connect_it(device: Device, repetition: int) -> None:
    del repetition
    started = device.start()
    people = [device.world.ana, device.world.bruno]
    answers = at_once([decide(device, person, started, "allow") for person in people])
    assert sorted(answers) == [(303, "/device/connected"), (400, "")]
    assert Connection.objects.count() == 1
    assert device.poll(started).status_code == 200


@pytest.mark.parametrize("repetition", range(3))
def test_whatever_a_revocation_meets_nothing_opens_afterwards(device: Device, repetition: int) -> None:
    del repetition
    started = device.start()
    device.decide(started)
    connection = Connection.objects.get()

    def revoke() -> tuple[int, dict[str, Any]]:
        revoke_connection(connection=connection, actor=None, by="user", reason="")
        return 200, {}

    answers = at_once([poll(device, started), revoke, poll(device, started)])
    assert all(status in {200, 400} for status, _body in answers)
    for _status, body in answers:
        if "access_token" in body:
            with pytest.raises(InvalidToken):
                verify_access_token(body["access_token"])
