"""The device authorization endpoint (RFC 8628 sections 3.1 and 3.2)."""

import re

import pytest
from django.conf import settings
from django.test import Client as Browser

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.clients.models import Client, Preset
from oauth_provider.clients.secrets import create_secret
from oauth_provider.device.codes import ALPHABET, new_user_code, read_user_code
from oauth_provider.device.models import DeviceCode
from tests.oauth_provider.authorize.world import World
from tests.oauth_provider.device.device import Device, post

DOCUMENT = "/.well-known/oauth-authorization-server"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def test_s3_2_both_codes_and_where_to_go(device: Device) -> None:
    answer = device.ask()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    found = answer.json()
    code = found["user_code"]
    assert re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", code)
    assert found == {
        "device_code": found["device_code"],
        "user_code": code,
        "verification_uri": f"{settings.PUBLIC_BASE_URL}/device",
        "verification_uri_complete": f"{settings.PUBLIC_BASE_URL}/device?user_code={code}",
        "expires_in": 600,
        "interval": 5,
    }
    assert len(found["device_code"]) >= 43
    event = Event.objects.get(kind=Kind.OAUTH_DEVICE_STARTED)
    assert (event.client_id, event.scopes_required) == (device.client.client_id, "tool:read tool:write")


def test_s5_2_neither_code_is_stored_or_recorded(device: Device) -> None:
    started = device.start()
    stored = repr([vars(row) for row in (*DeviceCode.objects.all(), *Event.objects.all())])
    for code in (started["device_code"], started["user_code"], started["user_code"].replace("-", "")):
        assert code not in stored


def test_s6_1_a_code_is_read_however_it_is_typed() -> None:
    code = new_user_code()
    for typed in (
        code,
        code.lower(),
        f"{code[:4]}-{code[4:]}",
        f" {code[:4]} {code[4:].lower()} ",
        f"{code[:4]}–{code[4:]}",
    ):
        assert read_user_code(typed) == code
    for typed in ("", "AAAA-AAAA", code[:7], f"{code}B", "x" * 10_000, f"{code[:7]}\x00", "éèêëéèêë"):
        assert read_user_code(typed) == ""


def test_without_a_scope_the_defaults_are_meant(device: Device) -> None:
    device.start(scope="")
    assert DeviceCode.objects.get().scopes == "tool:read"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "nope"}, "invalid_scope"),
        ({"scope": "other:read"}, "invalid_scope"),
        ({"scope": "x" * 5000}, "invalid_request"),
        ({"scope": "tool:read\x00"}, "invalid_request"),
        ({"resource": "https://elsewhere.example/api"}, "invalid_target"),
    ],
)
def test_what_may_not_be_asked_for_is_refused(device: Device, changes: dict[str, str], error: str) -> None:
    answer = device.ask(**changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert not DeviceCode.objects.exists()
    assert Event.objects.filter(kind=Kind.OAUTH_DEVICE_REFUSED).count() == 1


def test_a_client_that_staff_did_not_allow_is_refused(world: World) -> None:
    secret = create_secret(client=world.gpt, actor=None)
    answer = post("/oauth/device_authorization", client_id=world.gpt.client_id, client_secret=secret, scope="tool:read")
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert Event.objects.get(kind=Kind.OAUTH_DEVICE_REFUSED).reason == "device_grant_not_allowed"


def test_s3_1_the_client_authenticates_as_at_the_token_endpoint(world: World, device: Device) -> None:
    world.gpt.device_grant_allowed = True
    world.gpt.save()
    form = {"client_id": world.gpt.client_id, "scope": "tool:read"}
    assert post("/oauth/device_authorization", **form).status_code == 401
    assert post("/oauth/device_authorization", **form, client_secret="wrong").status_code == 401
    secret = create_secret(client=world.gpt, actor=None)
    assert post("/oauth/device_authorization", **form, client_secret=secret).status_code == 200
    assert post("/oauth/device_authorization", client_id="nobody").status_code == 401


def test_parameters_belong_in_the_body_once(device: Device) -> None:
    client_id = device.client.client_id
    assert Browser().get("/oauth/device_authorization").status_code == 405
    assert Browser().post(f"/oauth/device_authorization?client_id={client_id}").status_code == 400
    twice = f"client_id={client_id}&scope=tool:read&scope=tool:write"
    kind = "application/x-www-form-urlencoded"
    assert Browser().post("/oauth/device_authorization", twice, content_type=kind).status_code == 400


def test_h07_it_is_advertised_where_a_client_may_use_it(device: Device) -> None:
    found = Browser().get(DOCUMENT).json()
    assert found["device_authorization_endpoint"] == f"{settings.PUBLIC_BASE_URL}/oauth/device_authorization"
    assert GRANT in found["grant_types_supported"]
    Client.objects.update(device_grant_allowed=False)
    found = Browser().get(DOCUMENT).json()
    assert "device_authorization_endpoint" not in found
    assert GRANT not in found["grant_types_supported"]
    assert post("/oauth/token", grant_type=GRANT, client_id="x").json()["error"] == "unsupported_grant_type"


def test_no_client_may_until_staff_say_so() -> None:
    assert Client(preset=Preset.VSCODE).device_grant_allowed is False
