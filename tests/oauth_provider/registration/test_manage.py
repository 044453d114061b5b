"""A client and its own registration (RFC 7592)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.ledger.models import Event
from oauth_provider.clients.models import Approval, Client, ClientSecret, Trust
from oauth_provider.connections.models import Connection
from oauth_provider.device.live import DEVICE_CODE
from oauth_provider.registration.models import Registration
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.oauth_provider.registration.newcomers import Newcomers, last_refusal, row_of
from tests.oauth_provider.registration.test_register import Policy


def replaced(made: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The body of a PUT: what the client would keep, and what it changes."""
    ours = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")
    return {name: value for name, value in made.items() if name not in ours} | changes


def test_the_grant_for_devices_is_named_where_staff_allowed_it(newcomers: Newcomers) -> None:
    wanted = ["authorization_code", "refresh_token", DEVICE_CODE]
    made = newcomers.register(grant_types=wanted)
    assert DEVICE_CODE not in made["grant_types"]
    Client.objects.filter(client_id=made["client_id"]).update(device_grant_allowed=True)
    assert newcomers.manage(made, "GET").json()["grant_types"] == wanted


def test_it_reads_what_is_registered(newcomers: Newcomers) -> None:
    made = newcomers.register(client_name="Desk")
    read = newcomers.manage(made, "GET")
    assert read.status_code == 200
    assert read["Cache-Control"] == "no-store"
    # The secret is stored as its digest only
    shown = {name: value for name, value in made.items() if not name.startswith("client_secret")}
    assert read.json() == shown


def test_it_reads_that_staff_allowed_it_devices(newcomers: Newcomers) -> None:
    made = newcomers.register(grant_types=["authorization_code", Client.GRANT_DEVICE_CODE])
    assert Client.GRANT_DEVICE_CODE not in made["grant_types"]
    Client.objects.update(device_grant_allowed=True)
    assert Client.GRANT_DEVICE_CODE in newcomers.manage(made, "GET").json()["grant_types"]


def test_it_replaces_what_is_registered(newcomers: Newcomers) -> None:
    made = newcomers.register(client_name="Desk", client_uri="https://app.example/")
    body = replaced(made, client_name="Desk 2", redirect_uris=["https://app.example/2"], scope="tool:write")
    body.pop("client_uri")
    answer = newcomers.manage(made, "PUT", **body)
    assert answer.status_code == 200, answer.content
    assert answer.json()["client_name"] == "Desk 2"
    assert "client_uri" not in answer.json()
    assert "client_secret" not in answer.json()
    assert newcomers.authorize(made).status_code == 400
    assert newcomers.authorize(made, redirect_uri="https://app.example/2").status_code == 200
    assert Event.objects.get(kind="oauth:client:changed").client_id == made["client_id"]


def test_a_client_may_give_its_secret_up_and_take_another(newcomers: Newcomers) -> None:
    made = newcomers.register()
    public = newcomers.manage(made, "PUT", **replaced(made, token_endpoint_auth_method="none")).json()
    assert not ClientSecret.objects.filter(retired_at=None).exists()
    assert "client_secret" not in public
    again = newcomers.manage(made, "PUT", **replaced(public, token_endpoint_auth_method="client_secret_post")).json()
    assert again["client_secret_expires_at"] == 0
    assert newcomers.redeem(again, newcomers.allow(again)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({"software_version": "2"}, True),
        ({"client_name": "Renamed"}, True),
        ({"redirect_uris": ["https://evil.example/cb"]}, False),
        ({"token_endpoint_auth_method": "none"}, False),
    ],
)
def test_what_people_allowed_lasts_no_longer_than_what_protected_it(
    newcomers: Newcomers, changes: dict[str, Any], *, stays: bool
) -> None:
    made = newcomers.register()
    newcomers.redeem(made, newcomers.allow(made))
    assert newcomers.manage(made, "PUT", **replaced(made, **changes)).status_code == 200
    assert Connection.objects.filter(revoked_at=None).exists() is stays


def test_who_changes_what_staff_looked_at_is_unverified_again(newcomers: Newcomers, policy: Policy) -> None:
    made = newcomers.register(client_name="Desk")
    Client.objects.update(trust=Trust.VERIFIED, trust_reviewed_at=timezone.now())
    newcomers.manage(made, "PUT", **replaced(made, software_version="2"))
    assert row_of(made).trust == Trust.VERIFIED
    policy(mode="approval")
    newcomers.manage(made, "PUT", **replaced(made, client_name="ChatGPT"))
    changed = row_of(made)
    assert (changed.trust, changed.trust_reviewed_at) == (Trust.UNVERIFIED, None)
    assert changed.approval == Approval.PENDING


def test_what_staff_took_from_it_is_not_given_back_by_a_change(newcomers: Newcomers) -> None:
    made = newcomers.register()
    Client.objects.update(allowed_scopes="tool:read")
    answer = newcomers.manage(made, "PUT", **replaced(made, scope="tool:read tool:write")).json()
    assert answer["scope"] == row_of(made).allowed_scopes == "tool:read"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_id": "another"}, "client_id_mismatch"),
        ({"client_id": None}, "client_id_mismatch"),
        ({"client_id": ["x"]}, "client_id_mismatch"),
        ({"client_secret": "wrong"}, "client_secret_mismatch"),
        ({"client_secret": 5}, "client_secret_mismatch"),
        ({"registration_access_token": "x"}, "server_field"),
        ({"client_id_issued_at": 1}, "server_field"),
        ({"redirect_uris": []}, "unusable_redirect_uris"),
        ({"client_name": 5}, "wrong_type"),
    ],
)
def test_a_change_that_cannot_be_changes_nothing(newcomers: Newcomers, changes: Any, reason: str) -> None:
    made = newcomers.register(client_name="Desk")
    answer = newcomers.manage(made, "PUT", **replaced(made, client_name="Other") | changes)
    assert answer.status_code == 400
    assert last_refusal().reason == reason
    assert row_of(made).name == "Desk"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nobody_else_touches_it(newcomers: Newcomers, method: str) -> None:
    made = newcomers.register(token_endpoint_auth_method="none")
    other = newcomers.register(token_endpoint_auth_method="none")
    tokens = newcomers.redeem(made, newcomers.allow(made)).json()
    strangers = ["", "x", "gh_reg_" + "x" * 43, "gh_reg_\u00e9", other["registration_access_token"]]
    for bearer in [*strangers, tokens["access_token"], tokens["refresh_token"]]:
        answer = newcomers.manage(made, method, token=bearer, **replaced(made))
        assert answer.status_code == 401, bearer
        assert answer["WWW-Authenticate"] == 'Bearer realm="gatehouse", error="invalid_token"'
    unknown = newcomers.manage(made | {"client_id": "nope"}, method)
    assert unknown.status_code == 401
    assert Client.objects.count() == 2


def test_f11_its_token_ends(newcomers: Newcomers) -> None:
    made = newcomers.register()
    Registration.objects.update(token_expires_at=timezone.now() - timedelta(seconds=1))
    assert newcomers.manage(made, "GET").status_code == 401


def test_a_change_renews_its_token(newcomers: Newcomers) -> None:
    made = newcomers.register()
    Registration.objects.update(token_expires_at=timezone.now() + timedelta(days=1))
    newcomers.manage(made, "PUT", **replaced(made))
    assert Registration.objects.get().token_expires_at > timezone.now() + timedelta(days=300)


def test_one_that_nobody_used_leaves_nothing_behind(newcomers: Newcomers) -> None:
    made = newcomers.register()
    answer = newcomers.manage(made, "DELETE")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not Client.objects.exists()
    assert newcomers.manage(made, "GET").status_code == 401
    assert Event.objects.get(kind="oauth:client:deleted").reason == "by_client"


def test_e12_one_that_was_used_ends_everything_it_was_given(newcomers: Newcomers) -> None:
    made = newcomers.register(token_endpoint_auth_method="none")
    tokens = newcomers.redeem(made, newcomers.allow(made)).json()
    assert newcomers.manage(made, "DELETE").status_code == 204
    with pytest.raises(InvalidToken):
        verify_access_token(tokens["access_token"])
    refresh = newcomers.token(made, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert (refresh.status_code, refresh.json()["error"]) == (401, "invalid_client")
    assert newcomers.manage(made, "GET").status_code == 401
    assert Connection.objects.get().revoked_by == "client"


def test_a_suspended_client_changes_nothing(newcomers: Newcomers) -> None:
    made = newcomers.register()
    Client.objects.update(suspended_at=timezone.now())
    for method in ("GET", "PUT", "DELETE"):
        assert newcomers.manage(made, method, **replaced(made)).status_code == 403
    assert Client.objects.get().name == ""


def test_only_its_methods_are_answered(newcomers: Newcomers) -> None:
    made = newcomers.register()
    assert newcomers.manage(made, "PATCH").status_code == 405
    assert newcomers.program.get("/oauth/register").status_code == 405
