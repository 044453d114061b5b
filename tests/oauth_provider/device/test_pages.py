"""The pages at /device (RFC 8628 sections 3.3, 5.1 and 5.4)."""

from typing import Any

import pytest
from django.test import Client as Browser

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.models import Approval
from oauth_provider.clients.suspend import suspend_client
from oauth_provider.connections.models import Connection
from oauth_provider.device.models import DeviceCode
from oauth_provider.identities.models import Identity
from oauth_provider.rates import DEFAULT_RATES
from oauth_provider.scopes.models import Scope
from tests.oauth_provider.authorize.world import World
from tests.oauth_provider.device.device import Device


def test_nobody_enters_a_code_without_signing_in(device: Device) -> None:
    code = device.start()["user_code"]
    stranger = Browser()
    for answer in (stranger.get(f"/device?user_code={code}"), stranger.post("/device", {"user_code": code})):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/?next=%2Fdevice")
    assert not Interaction.objects.exists()


def test_s3_3_1_a_link_with_the_code_only_fills_the_field(device: Device) -> None:
    code = device.start()["user_code"]
    page = device.world.browser.get(f"/device?user_code={code.lower()}")
    assert page.status_code == 200
    assert f'value="{code}"'.encode() in page.content
    assert b"Compare this code" in page.content
    assert b"Never type a code that somebody sent you" in page.content
    assert not Interaction.objects.exists()


@pytest.mark.parametrize("typed", ["<script>alert(1)</script>", "x" * 5000, "%00", "a\x00b"])
def test_what_is_in_the_link_is_text(device: Device, typed: str) -> None:
    page = device.world.browser.get("/device", {"user_code": typed})
    assert page.status_code == 200
    assert b"<script>alert" not in page.content
    assert len(page.content) < 10_000


def test_the_consent_page_says_whose_code_where_and_when_it_began(device: Device) -> None:
    started = device.start()
    DeviceCode.objects.update(network="203.0.113.0/24")
    page = device.enter(started["user_code"].lower().replace("-", " ")).content.decode()
    assert started["user_code"] in page
    assert "Desk &lt;b&gt;Assistant&lt;/b&gt;" in page
    assert "Go on only if you started this yourself" in page
    assert "Started on" in page
    assert "203.0.113.0/24" in page
    assert "Show the full address" not in page
    assert "Change with tools" in page
    assert "frame-ancestors 'none'" in device.enter(started["user_code"])["Content-Security-Policy"]


def test_it_speaks_portuguese(device: Device) -> None:
    device.world.browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "pt-br"
    started = device.start()
    assert "Conectar um dispositivo" in device.world.browser.get("/device").content.decode()
    page = device.enter(started["user_code"]).content.decode()
    assert "Continue só se você mesmo começou isto" in page


def test_after_allowing_she_goes_back_to_her_device(device: Device) -> None:
    answer = device.decide(device.start())
    assert (answer.status_code, answer["Location"]) == (303, "/device/connected")
    assert b"Go back to your device" in device.world.browser.get(answer["Location"]).content
    connection = Connection.objects.get()
    assert (connection.redirect_host, connection.user) == ("device:", device.world.ana)


@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_a_code_is_decided_once(device: Device, decision: str) -> None:
    started = device.start()
    device.enter(started["user_code"])
    first = Interaction.objects.latest("created_at")
    device.enter(started["user_code"])
    second = Interaction.objects.latest("created_at")
    device.world.decide(first, decision)
    assert device.enter(started["user_code"]).status_code == 400
    again = device.world.decide(second)
    assert again.status_code == 400
    assert b"device_code_over" in again.content
    assert Connection.objects.count() == (1 if decision == "allow" else 0)


def test_a_decision_after_the_code_expired_is_none(device: Device) -> None:
    started = device.start()
    device.enter(started["user_code"])
    device.later(601)
    answer = device.world.decide(Interaction.objects.get())
    assert answer.status_code == 400
    assert not Connection.objects.exists()


def test_the_page_is_good_no_longer_than_the_code(device: Device) -> None:
    started = device.start()
    device.later(300)
    device.enter(started["user_code"])
    assert Interaction.objects.get().expires_at == DeviceCode.objects.get().expires_at


def test_c07_whoever_was_shown_the_page_decides(device: Device) -> None:
    device.enter(device.start()["user_code"])
    other = Browser()
    other.force_login(device.world.bruno, backend="django.contrib.auth.backends.ModelBackend")
    form = {"interaction": Interaction.objects.get().pk, "decision": "allow", "scope": ["tool:read"]}
    assert other.post("/oauth/authorize", form).status_code == 403


@pytest.mark.parametrize("typed", ["BBBB-BBBB", "", "nonsense", "\x00", "A" * 300])
def test_an_unknown_code_says_so_and_is_an_event(device: Device, typed: str) -> None:
    answer = device.enter(typed)
    assert answer.status_code == 400
    assert b"No device waits for this code" in answer.content
    assert Event.objects.get(kind=Kind.OAUTH_DEVICE_REFUSED).reason == "unknown_user_code"


@pytest.mark.parametrize("by", ["address", "person"])
def test_s5_1_guessing_is_slowed_down(device: Device, settings: Any, by: str) -> None:
    settings.OAUTH_RATES = {**DEFAULT_RATES, "user_code": "3/m"}
    settings.TRUSTED_PROXY_COUNT = 1
    browser, code = device.world.browser, device.start()["user_code"]
    other = Browser()
    other.force_login(device.world.bruno, backend="django.contrib.auth.backends.ModelBackend")
    for number in range(3):
        guesser = other if by == "address" and number else browser
        address = "192.0.2.1" if by == "address" else f"192.0.{number + 2}.1"
        assert (
            guesser.post("/device", {"user_code": "BBBB-BBBB"}, headers={"x-forwarded-for": address}).status_code == 400
        )
    last = browser.post(
        "/device", {"user_code": code}, headers={"x-forwarded-for": "192.0.2.1" if by == "address" else "192.0.99.1"}
    )
    assert last.status_code == 429
    assert Event.objects.filter(kind=Kind.OAUTH_DEVICE_REFUSED, reason="rate_limited").count() == 1


def suspend(device: Device) -> None:
    """Staff stop the client."""
    suspend_client(client=device.client, actor=None, reason="x")


def forbid(device: Device) -> None:
    """Staff take the grant away."""
    device.client.device_grant_allowed = False
    device.client.save()


def decline(device: Device) -> None:
    """Staff do not let it in."""
    device.client.approval = Approval.DECLINED
    device.client.save()


def disable(_device: Device) -> None:
    """Staff withdraw every permission."""
    Scope.objects.update(enabled=False)


@pytest.mark.parametrize("what", [suspend, forbid, decline, disable])
@pytest.mark.parametrize("is_open", [False, True])
def test_what_staff_decided_meanwhile_counts(device: Device, what: Any, is_open: bool) -> None:
    started = device.start()
    if is_open:
        device.enter(started["user_code"])
    what(device)
    if is_open:
        answer = device.world.decide(Interaction.objects.get(), scope=["tool:write"])
    else:
        answer = device.enter(started["user_code"])
    assert answer.status_code in {400, 403}
    assert not Connection.objects.exists()


def test_it_is_a_connection_like_any_other(device: Device, world: World) -> None:
    device.decide(device.start())
    page = world.browser.get("/connected-apps/").content.decode()
    assert "Desk &lt;b&gt;Assistant&lt;/b&gt;" in page
    assert "device:" not in page
    assert "A code that a device showed" in page


def test_csrf_holds(device: Device) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(device.world.ana, backend="django.contrib.auth.backends.ModelBackend")
    assert strict.post("/device", {"user_code": device.start()["user_code"]}).status_code == 403


def test_a_person_is_not_shown_what_is_beyond_their_ceiling(device: Device) -> None:
    Identity.objects.filter(user=device.world.ana).update(grantable_scopes="tool:read")
    device.enter(device.start()["user_code"])
    assert Interaction.objects.get().scopes == "tool:read"
    Identity.objects.filter(user=device.world.ana).update(grantable_scopes="")
    assert device.enter(device.start()["user_code"]).status_code == 400
    assert Event.objects.filter(reason="beyond_ceiling").count() == 1
