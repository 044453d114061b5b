"""A device's polls (RFC 8628 sections 3.4 and 3.5)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.clients.suspend import suspend_client
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.device.cleanup import clean_device_codes
from oauth_provider.device.models import DeviceCode
from oauth_provider.rates import DEFAULT_RATES
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.cleanup import clean_tokens
from oauth_provider.tokens.models import TokenFamily
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.oauth_provider.authorize.world import World
from tests.oauth_provider.device.device import Device, post
from tests.oauth_provider.openid.sign_in import read


def test_s3_5_a_device_waits_and_then_gets_what_the_person_gave(device: Device) -> None:
    started = device.start()
    assert device.error(started) == "authorization_pending"
    device.decide(started, scope=["tool:read"], duration="1-day")
    device.later(5)
    answer = device.poll(started)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    bought = answer.json()
    assert bought["scope"] == "tool:read"
    assert bought["token_type"] == "Bearer"
    verified = verify_access_token(bought["access_token"])
    assert verified.resources == (f"{settings.PUBLIC_BASE_URL}/api/v1/echo",)
    connection = Connection.objects.get()
    assert (connection.scopes, verified.connection) == ("tool:read", str(connection.pk))
    assert connection.expires_at
    refresh = {"grant_type": "refresh_token", "refresh_token": bought["refresh_token"]}
    again = post("/oauth/token", **refresh, client_id=device.client.client_id).json()
    assert verify_access_token(again["access_token"]).scopes == {"tool:read"}
    kinds = list(
        Event.objects.filter(client_id=device.client.client_id).order_by("id").values_list("kind", "operation")
    )
    assert kinds == [
        (Kind.OAUTH_DEVICE_STARTED, ""),
        (Kind.OAUTH_AUTHORIZATION_SHOWN, "device_code"),
        (Kind.OAUTH_AUTHORIZATION_ALLOWED, "device_code"),
        (Kind.OAUTH_TOKEN_ISSUED, "device_code"),
        (Kind.OAUTH_TOKEN_REFRESHED, "refresh_token"),
    ]


def test_an_id_token_says_who_decided_and_when_she_had_signed_in(device: Device) -> None:
    started = device.start(scope="openid tool:read")
    device.decide(started, scope=["openid", "tool:read"])
    claims = read(device.poll(started).json()["id_token"]).claims
    assert (claims["sub"], claims["aud"]) == ("user_2abc", device.client.client_id)
    assert claims["auth_time"] == int(device.world.browser.session["signed_in_at"])
    assert "nonce" not in claims


def test_without_leave_to_stay_there_is_no_refresh_token(device: Device) -> None:
    started = device.start(scope="offline_access tool:read")
    device.decide(started, scope=["tool:read"])
    assert "refresh_token" not in device.poll(started).json()


def test_s3_5_slow_down_makes_the_pause_longer_each_time(device: Device) -> None:
    started = device.start()
    said = [device.error(started) for _ in range(3)]
    assert said == ["authorization_pending", "slow_down", "slow_down"]
    assert DeviceCode.objects.get().interval_s == 15
    device.later(9)
    assert device.error(started) == "slow_down"
    device.later(20)
    assert device.error(started) == "authorization_pending"
    # Waiting is no event, impatience is
    assert (
        list(Event.objects.filter(kind=Kind.OAUTH_TOKEN_REFUSED).values_list("reason", flat=True)) == ["slow_down"] * 3
    )


def test_s3_5_a_punctual_device_is_not_slowed_down(device: Device) -> None:
    started = device.start()
    for _ in range(4):
        assert device.error(started) == "authorization_pending"
        device.later(4.6)


@pytest.mark.parametrize(("decision", "scope"), [("deny", ["tool:read"]), ("allow", [])])
def test_s3_5_access_denied(device: Device, decision: str, scope: list[str]) -> None:
    started = device.start()
    answer = device.decide(started, decision, scope=scope)
    assert (answer.status_code, answer["Location"]) == (303, "/device/denied")
    assert device.error(started) == "access_denied"
    assert not Connection.objects.exists()
    assert Event.objects.get(kind=Kind.OAUTH_AUTHORIZATION_DENIED).operation == "device_code"


@pytest.mark.parametrize("is_decided", [False, True])
def test_s3_5_expired_token(device: Device, is_decided: bool) -> None:
    started = device.start()
    if is_decided:
        device.decide(started)
    device.later(601)
    assert device.error(started) == "expired_token"


def test_a_code_works_once_and_a_replay_ends_what_it_bought(device: Device) -> None:
    started = device.start()
    device.decide(started)
    token = device.poll(started).json()["access_token"]
    assert verify_access_token(token).scopes == {"tool:read"}
    assert device.error(started) == "invalid_grant"
    with pytest.raises(InvalidToken):
        verify_access_token(token)
    assert Event.objects.get(kind=Kind.OAUTH_TOKEN_REPLAYED).reason == "device_code_replayed"


def test_another_client_gets_nothing_for_it(device: Device, world: World) -> None:
    other = world.public
    other.pk, other.client_id = None, "another"
    other.save(force_insert=True)
    started = device.start(client_id=world.defaults["client_id"])
    device.decide(started)
    assert device.error(started, client_id="another") == "invalid_grant"
    assert device.poll(started, client_id=world.defaults["client_id"]).status_code == 200


@pytest.mark.parametrize("code", ["x", "gh_dc_" + "x" * 43, "x" * 5000, "é"])
def test_what_is_no_code_is_an_invalid_grant(device: Device, code: str) -> None:
    assert device.error({"device_code": code}) == "invalid_grant"


def test_a_poll_without_a_code_is_an_invalid_request(device: Device) -> None:
    assert device.error({"device_code": ""}) == "invalid_request"


def test_another_resource_than_the_one_asked_for_is_refused(device: Device) -> None:
    started = device.start()
    device.decide(started)
    assert device.error(started, resource=f"{settings.PUBLIC_BASE_URL}/oauth/userinfo") == "invalid_target"
    assert device.poll(started, resource=f"{settings.PUBLIC_BASE_URL}/api/v1/echo").status_code == 200


def deactivate(device: Device) -> None:
    """The person is none any more."""
    device.world.ana.is_active = False
    device.world.ana.save()


def revoke(_device: Device) -> None:
    """She takes it back before the device knows that she gave it."""
    revoke_connection(connection=Connection.objects.get(), actor=None, by="user", reason="")


def disable(_device: Device) -> None:
    """Staff no longer offer what she gave."""
    Scope.objects.filter(name="tool:read").update(enabled=False)


def forbid(device: Device) -> None:
    """Staff no longer let the client connect devices."""
    device.client.device_grant_allowed = False
    device.client.save()


@pytest.mark.parametrize(
    ("what", "error"),
    [
        (deactivate, "invalid_grant"),
        (revoke, "invalid_grant"),
        (disable, "invalid_grant"),
        (forbid, "unauthorized_client"),
    ],
)
def test_what_ends_access_ends_a_code_that_is_out(
    device: Device, world: World, what: Callable[[Device], None], error: str
) -> None:
    world.gpt.device_grant_allowed = True
    world.gpt.save()
    started = device.start()
    device.decide(started)
    what(device)
    assert device.error(started) == error


def test_a_suspended_client_gets_nothing(device: Device) -> None:
    started = device.start()
    device.decide(started)
    suspend_client(client=device.client, actor=None, reason="x")
    assert device.poll(started).status_code == 401
    assert device.ask().status_code == 401


def test_the_clients_own_rate_and_the_addresss_hold(device: Device, settings: Any) -> None:
    settings.OAUTH_RATES = {**DEFAULT_RATES, "device": "1/m"}
    device.start()
    answer = device.ask()
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_codes_that_nobody_redeemed_are_deleted_and_others_go_with_their_family(device: Device) -> None:
    bought, left = device.start(), device.start()
    device.decide(bought)
    assert device.poll(bought).status_code == 200
    now = timezone.now()
    assert sum(clean_device_codes(at=now)) == 0
    assert sum(clean_device_codes(at=now + timedelta(seconds=601))) == 1
    assert device.error(left) == "invalid_grant"
    kept = DeviceCode.objects.get()
    assert kept.redeemed_at is not None
    TokenFamily.objects.update(revoked_at=now)
    list(clean_tokens(at=now + timedelta(days=2)))
    assert not DeviceCode.objects.exists()
