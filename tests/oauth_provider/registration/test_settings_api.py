"""The registration policy, the list of programs and invitations over the management API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.ledger.models import Event
from oauth_provider.registration.models import InitialAccessToken, ListedClient, RegistrationPolicy
from oauth_provider.scopes.models import Scope
from tests.management_api import REASON, Api, api_of, errors_of
from tests.oauth_provider.registration.newcomers import Newcomers, row_of
from tests.oauth_provider.registration.test_register import Policy
from tests.staff_browser import last_event

ORIGIN = "http://127.0.0.1:8000"
POLICY, LIST, INVITATIONS = "registration-policy/", "listed-clients/", "invitations/"


def in_days(days: float) -> str:
    """A moment as JSON has it."""
    return (timezone.now() + timedelta(days=days)).isoformat()


def test_before_anybody_changed_it_the_policy_shows_its_defaults_and_writes_nothing(api: Api) -> None:
    Scope.objects.create(name="jobs:read", title="Read", self_registration=True)
    assert api.get(POLICY).json() == {
        "mode": "approval",
        "document_mode": "approval",
        "default_resource": None,
        "scopes": ["jobs:read"],
        "unused_hours": 24,
        "idle_days": 90,
        "max_unused": 1000,
    }
    assert not RegistrationPolicy.objects.exists()


def test_who_may_come_in_is_decided_with_a_reason_and_holds_at_once(api: Api, newcomers: Newcomers) -> None:
    refused = api.patch(POLICY, {"mode": "off"})
    assert "X-Reason" in errors_of(refused)
    assert newcomers.ask(client_name="Claude").status_code == 201
    answer = api.patch(POLICY, {"mode": "off", "default_resource": f"{ORIGIN}/api/v1/echo"}, **REASON)
    assert (answer.status_code, answer.json()["default_resource"]) == (200, f"{ORIGIN}/api/v1/echo")
    event = last_event(kind="admin:object:changed", target="policy:registration")
    assert (event.fields, event.note) == (["mode"], REASON["X-Reason"])
    assert newcomers.ask(client_name="Claude").status_code == 404


def test_when_unused_ones_are_forgotten_needs_no_reason(api: Api) -> None:
    assert api.patch(POLICY, {"unused_hours": 48}).json()["unused_hours"] == 48
    assert api.patch(POLICY, api.get(POLICY).json()).status_code == 200
    assert Event.objects.filter(target="policy:registration").count() == 1, "what was sent back changed nothing"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mode": "all"}, "mode"),
        ({"unused_hours": 0}, "unused_hours"),
        ({"idle_days": 5}, "idle_days"),
        ({"max_unused": "many"}, "max_unused"),
        ({"default_resource": "/nowhere"}, "default_resource"),
        ({"scopes": ["jobs:read"]}, "scopes"),
        ({"id": 2}, "id"),
    ],
)
def test_a_policy_that_could_not_hold_is_refused_by_field(api: Api, body: dict[str, Any], field: str) -> None:
    assert field in errors_of(api.patch(POLICY, body, **REASON))
    assert not Event.objects.filter(target="policy:registration").exists()


def test_there_is_one_policy(api: Api) -> None:
    assert api.post(POLICY, {"mode": "open"}, **REASON).status_code == 405
    assert api.delete(POLICY).status_code == 405


def test_a_block_suspends_who_is_here_and_is_taken_back_by_deletion(
    api: Api, newcomers: Newcomers, policy: Policy
) -> None:
    policy(mode="open")
    client = row_of(newcomers.register(client_name="Claude"))
    body = {"verdict": "blocked", "named_by": "fingerprint", "value": client.fingerprint}
    assert "X-Reason" in errors_of(api.post(LIST, body))
    made = api.post(LIST, body, **REASON)
    assert made.status_code == 201, made.content
    client.refresh_from_db()
    assert client.is_suspended
    assert newcomers.ask(client_name="Claude").status_code == 403
    assert last_event(kind="admin:object:added").target == f"listed:fingerprint:{client.fingerprint}"
    address = f"{LIST}{made.json()['id']}/"
    assert api.patch(address, {"note": "asked twice"}).json()["note"] == "asked twice"
    assert "X-Reason" in errors_of(api.patch(address, {"verdict": "allowed"}))
    assert api.delete(address).status_code == 204
    assert newcomers.ask(client_name="Claude").status_code == 201


def test_the_list_is_filtered_and_names_each_once(api: Api) -> None:
    for verdict, value in (("allowed", "one"), ("blocked", "two")):
        assert api.post(LIST, {"verdict": verdict, "value": value}, **REASON).status_code == 201
    found = api.get(LIST, verdict="blocked").json()["results"]
    assert [(entry["named_by"], entry["value"]) for entry in found] == [("client_id", "two")]
    assert errors_of(api.post(LIST, {"verdict": "allowed", "value": "two"}, **REASON))
    assert ListedClient.objects.count() == 2


def test_an_invitation_opens_the_door_until_it_is_revoked(api: Api, newcomers: Newcomers, policy: Policy) -> None:
    policy(mode="off")
    body = {"name": "Partner", "max_uses": 5, "expires_at": in_days(7)}
    assert "X-Reason" in errors_of(api.post(INVITATIONS, body))
    made = api.post(INVITATIONS, body, **REASON).json()
    assert last_event(kind="admin:object:added").note == REASON["X-Reason"]
    assert newcomers.ask(token=made["secret"], client_name="Partner").status_code == 201
    (shown,) = api.get(INVITATIONS).json()["results"]
    assert (shown["uses"], shown["active"], "secret" in shown) == (1, True, False)
    assert api.delete(f"{INVITATIONS}{made['id']}/").status_code == 204
    assert newcomers.ask(token=made["secret"], client_name="Partner").status_code == 401
    assert api.get(INVITATIONS).json()["results"] == []
    assert InitialAccessToken.objects.get().revoked_at is not None, "events name its number"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"expires_at": in_days(-1)}, "expires_at"),
        ({"expires_at": in_days(400)}, "expires_at"),
        ({"max_uses": 0}, "max_uses"),
        ({"name": ""}, "name"),
        ({"uses": 3}, "uses"),
    ],
)
def test_an_invitation_without_bounds_is_refused_by_field(api: Api, changes: dict[str, Any], field: str) -> None:
    body = {"name": "Partner", "max_uses": 1, "expires_at": in_days(1)} | changes
    assert field in errors_of(api.post(INVITATIONS, body, **REASON))
    assert not InitialAccessToken.objects.exists()


@pytest.mark.django_db
def test_each_act_has_a_permission_of_its_own() -> None:
    program = api_of(
        "oauth_provider.view_registrationpolicy",
        "oauth_provider.view_listedclient",
        "oauth_provider.view_initialaccesstoken",
    )
    for answer in (
        program.patch(POLICY, {"unused_hours": 48}, **REASON),
        program.post(LIST, {"verdict": "allowed", "value": "x"}, **REASON),
        program.post(INVITATIONS, {"name": "x", "expires_at": in_days(1)}, **REASON),
    ):
        errors_of(answer, 403)
