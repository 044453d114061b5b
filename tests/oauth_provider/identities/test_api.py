"""People over the management API."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from audit.ledger.kinds import Kind
from oauth_provider.identities.forms import meaningful_permissions
from oauth_provider.identities.models import Identity
from oauth_provider.revisions.read import read_all
from tests.agreed import World
from tests.management_api import REASON, Api, api_of, errors_of
from tests.staff_browser import last_event, make_staff

PASSWORD = "a long one for tests"


def test_a_person_is_made_and_never_shows_a_password(api: Api) -> None:
    made = api.made("users/", username="ana", email="ana@example.com", password=PASSWORD, external_id="user_2abc")
    assert made == {
        "id": User.objects.get(username="ana").pk,
        "username": "ana",
        "email": "ana@example.com",
        "external_id": "user_2abc",
        "scopes": None,
        "is_active": True,
    }
    user = User.objects.get(username="ana")
    assert user.check_password(PASSWORD)
    assert not user.is_staff
    assert api.get(f"users/{made['id']}/").json() == made
    assert api.get("users/?external_id=user_2abc").json()["results"] == [made]
    event = last_event(kind=Kind.ADMIN_OBJECT_ADDED, target="user")
    assert event.subject
    assert event.actor not in {"", event.subject}


def test_one_without_an_external_id_gets_one(api: Api) -> None:
    made = api.made("users/", username="ana")
    assert made["external_id"] == f"local:{made['id']}"
    assert not User.objects.get(username="ana").has_usable_password()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "maria"}, "username"),
        ({"username": "a b"}, "username"),
        ({"email": "x"}, "email"),
        ({"password": "short"}, "password"),
        ({"external_id": "taken"}, "external_id"),
        ({"external_id": "a b"}, "external_id"),
        ({"external_id": "local:7"}, "external_id"),
        ({"scopes": ["jobs:read"]}, "scopes"),
        ({"is_staff": True}, "is_staff"),
    ],
)
def test_what_cannot_be_is_refused_by_field(api: Api, change: dict[str, Any], field: str) -> None:
    Identity.objects.create(user=User.objects.create_user("first"), external_id="taken")
    assert field in errors_of(api.post("users/", {"username": "ana"} | change))


def test_another_address_is_not_verified(api: Api) -> None:
    address = f"users/{api.made('users/', username='ana', email='ana@example.com', external_id='ana')['id']}/"
    identity = Identity.objects.filter(external_id="ana")
    identity.update(email_verified=True)
    api.patch(address, {"email": "ana@example.com"})
    assert identity.get().email_verified is True
    api.patch(address, {"email": "other@example.com"})
    assert identity.get().email_verified is False


def test_a_person_is_changed_and_stopped(api: Api) -> None:
    address = f"users/{api.made('users/', username='ana', external_id='old', password=PASSWORD)['id']}/"
    assert api.patch(address, {"external_id": "new", "email": "ana@example.com"}).json()["external_id"] == "new"
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED, target="user").fields == ["email", "external_id"]
    assert User.objects.get(username="ana").check_password(PASSWORD)
    assert "X-Reason" in errors_of(api.patch(address, {"is_active": False}))
    assert "X-Reason" in errors_of(api.patch(address, {"password": f"{PASSWORD} too"}))
    assert api.patch(address, {"is_active": False}, **REASON).json()["is_active"] is False
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED, target="user").note == REASON["X-Reason"]
    assert api.patch(address, {"password": f"{PASSWORD} too"}, **REASON).status_code == 200
    assert User.objects.get(username="ana").check_password(f"{PASSWORD} too")


def test_deleting_a_person_ends_what_acts_for_them_first(api: Api, world: World) -> None:
    pair = world.pair()
    assert api.delete(f"users/{world.connection.user_id}/").status_code == 204
    assert world.refresh(pair["refresh_token"]).status_code == 400
    assert last_event(kind=Kind.OAUTH_CONNECTION_REVOKED).connection == str(world.connection.pk)
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED, target="user").subject


def test_staff_accounts_belong_to_superusers_and_nobody_locks_themselves_out(api: Api) -> None:
    colleague = make_staff("carla")
    sam = api_of("auth.change_user", "auth.delete_user")
    errors_of(sam.patch(f"users/{colleague.pk}/", {"email": "x@example.com"}), 403)
    errors_of(sam.delete(f"users/{colleague.pk}/"), 403)
    assert api.patch(f"users/{colleague.pk}/", {"email": "x@example.com"}).status_code == 200
    maria = User.objects.get(username="maria").pk
    errors_of(api.patch(f"users/{maria}/", {"is_active": False}, **REASON), 403)
    errors_of(api.delete(f"users/{maria}/"), 403)


def test_a_role_can_give_whatever_the_api_asks_for(api: Api) -> None:
    del api
    offered = set(meaningful_permissions().values_list("codename", flat=True))
    asked = {"add_resource", "change_resource", "delete_resource", "view_resource", "delete_client", "delete_user"}
    assert asked <= offered
    assert {"delete_backend", "delete_operation", "delete_scope", "change_apikey", "view_event"} <= offered


def test_what_a_person_may_ever_give_is_set_with_a_reason(api: Api, world: World) -> None:
    address = f"users/{world.connection.user_id}/"
    assert "X-Reason" in errors_of(api.patch(address, {"scopes": ["tool:read"]}))
    assert api.patch(address, {"scopes": ["tool:write", "tool:read"]}, **REASON).json()["scopes"] == [
        "tool:read",
        "tool:write",
    ]
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED, target="user")
    assert (event.fields, event.note) == (["scopes"], REASON["X-Reason"])
    revisions = read_all()["revocation"]
    assert api.patch(address, {"scopes": []}, **REASON).json()["scopes"] == []
    assert read_all()["revocation"] > revisions, "what workers remember of the person's tokens is no longer true"
    assert api.patch(address, {"scopes": None}, **REASON).json()["scopes"] is None
    assert "tool:nothing" in errors_of(api.patch(address, {"scopes": ["tool:nothing"]}, **REASON))["scopes"][0]


def test_a_person_is_made_with_a_ceiling(api: Api, world: World) -> None:
    del world
    made = api.made("users/", username="eva", scopes=["tool:read"])
    assert api.get(f"users/{made['id']}/").json()["scopes"] == ["tool:read"]
    assert Identity.objects.get(user=made["id"]).grantable_scopes == "tool:read"
