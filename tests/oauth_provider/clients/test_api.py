"""Clients over the management API: made from a preset, their secrets, and the switch that stops them."""

from typing import Any

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.clients.models import Client
from oauth_provider.clients.secrets import matches
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope
from tests.agreed import World
from tests.management_api import REASON, Api, errors_of
from tests.staff_browser import last_event

RESOURCE = "http://127.0.0.1:8000/api/v1/gpt"


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    """A resource and two permissions."""
    del db
    register(path="/api/v1/gpt", title="careers")
    for name in ("jobs:read", "jobs:write"):
        Scope.objects.create(name=name, title=name)


def service(api: Api, **changes: Any) -> dict[str, Any]:
    """A new service."""
    return api.made("clients/", **({"name": "Nightly", "preset": "service", "scopes": ["jobs:read"]} | changes))


def test_a_client_is_made_as_its_preset_says(api: Api) -> None:
    made = service(api, default_resource=RESOURCE)
    assert matches(client=Client.objects.get(), secret=made.pop("client_secret"))
    assert made == {
        "client_id": Client.objects.get().client_id,
        "name": "Nightly",
        "preset": "service",
        "client_type": "confidential",
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "scopes": ["jobs:read"],
        "default_resource": RESOURCE,
        "token_endpoint_auth_method": "client_secret_basic",
        "access_token_lifetime_s": 3600,
        "refresh_token_lifetime_s": 30 * 86400,
        "trust": "verified",
        "trust_reviewed_by": None,
        "trust_reviewed_at": None,
        "suspended": False,
        "origin": "staff",
        "approval": "approved",
        "fingerprint": "",
        "registered_at": None,
        "first_consented_at": None,
    }
    assert api.get(f"clients/{made['client_id']}/").json() == made
    assert last_event(kind=Kind.ADMIN_OBJECT_ADDED).client_id == made["client_id"]


def test_what_the_preset_says_may_be_said_otherwise(api: Api) -> None:
    made = api.made(
        "clients/",
        name="Desk",
        client_type="public",
        grant_types=["authorization_code", "refresh_token"],
        token_endpoint_auth_method="none",
        redirect_uris=["http://127.0.0.1/callback"],
        default_resource="/api/v1/gpt",
        access_token_lifetime_s=600,
        trust="claimed",
    )
    assert "client_secret" not in made
    assert (made["preset"], made["default_resource"], made["trust"]) == ("other", RESOURCE, "claimed")
    assert Client.objects.get().access_token_lifetime_s == 600


def test_the_method_alone_tells_a_public_client(api: Api) -> None:
    made = api.made(
        "clients/", name="Desk", token_endpoint_auth_method="none", redirect_uris=["https://desk.example/back"]
    )
    assert made["client_type"] == "public"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"preset": "teapot"}, "preset"),
        ({"scopes": ["none"]}, "scopes"),
        ({"redirect_uris": ["http://evil.example"]}, "redirect_uris"),
        ({"preset": "other"}, "redirect_uris"),
        ({"default_resource": "/api/v1/none"}, "default_resource"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"grant_types": ["client_credentials", "refresh_token"]}, "grant_types"),
        ({"client_type": "public", "token_endpoint_auth_method": "client_secret_post"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "token_endpoint_auth_method"),
        ({"access_token_lifetime_s": 1}, "access_token_lifetime_s"),
        ({"trust": "blind"}, "trust"),
        ({"client_id": "mine"}, "client_id"),
        ({"suspended": True}, "suspended"),
        ({"origin": "environment"}, "origin"),
        ({"approval": "declined"}, "approval"),
        ({"client_secret": "mine"}, "client_secret"),
    ],
)
def test_what_no_client_can_have_is_refused_by_field(api: Api, change: dict[str, Any], field: str) -> None:
    body = {"name": "Nightly", "preset": "service", "scopes": ["jobs:read"]} | change
    assert field in errors_of(api.post("clients/", body))
    assert not Client.objects.exists()


def test_a_client_with_its_own_key_is_shown_so_and_its_answer_may_be_sent_back(api: Api) -> None:
    made = service(api)
    Client.objects.update(token_endpoint_auth_method="private_key_jwt", jwks_uri="https://keys.example/jwks.json")
    address = f"clients/{made['client_id']}/"
    shown = api.get(address).json()
    assert shown["token_endpoint_auth_method"] == "private_key_jwt"
    assert api.patch(address, shown).status_code == 200
    assert "token_endpoint_auth_method" in errors_of(api.patch(address, {"token_endpoint_auth_method": "none"}))


def test_a_client_is_changed_by_its_id(api: Api) -> None:
    made = service(api)
    address = f"clients/{made['client_id']}/"
    changed = api.patch(address, {"name": "Daily", "scopes": ["jobs:write"], "default_resource": RESOURCE}).json()
    assert (changed["name"], changed["scopes"], changed["default_resource"]) == ("Daily", ["jobs:write"], RESOURCE)
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert event.fields == ["allowed_scopes", "default_resource", "name"]
    for name, value in {"preset": "gpt", "client_type": "public", "suspended": True, "client_id": "x"}.items():
        assert name in errors_of(api.patch(address, {name: value}))
    assert "X-Reason" in errors_of(api.patch(address, {"trust": "unverified"}))
    assert api.patch(address, {"trust": "unverified"}, **REASON).json()["trust"] == "unverified"


@pytest.mark.parametrize(
    ("act", "kind"), [("suspend", Kind.ADMIN_CLIENT_SUSPENDED), ("resume", Kind.ADMIN_CLIENT_RESUMED)]
)
def test_suspending_and_resuming_need_a_reason(api: Api, act: str, kind: Kind) -> None:
    address = f"clients/{service(api)['client_id']}/"
    if act == "resume":
        api.post(f"{address}suspend/", **REASON)
    assert "X-Reason" in errors_of(api.post(f"{address}{act}/"))
    assert api.post(f"{address}{act}/", **REASON).json()["suspended"] is (act == "suspend")
    assert last_event(kind=kind).note == REASON["X-Reason"]


def test_a_secret_is_replaced_without_a_pause(api: Api) -> None:
    made = service(api)
    address = f"clients/{made['client_id']}/secrets/"
    (first,) = api.get(address).json()
    assert "X-Reason" in errors_of(api.post(address))
    second = api.post(address, **REASON)
    assert second.status_code == 201
    client = Client.objects.get()
    assert matches(client=client, secret=made["client_secret"])
    assert matches(client=client, secret=second.json()["client_secret"])
    errors_of(api.post(address, **REASON), 409)
    assert api.delete(f"{address}{first['id']}/").status_code == 204
    assert not matches(client=client, secret=made["client_secret"])
    errors_of(api.delete(f"{address}{second.json()['id']}/"), 409)
    errors_of(api.delete(f"{address}{first['id']}/"), 404)
    errors_of(api.get("clients/nobody/secrets/"), 404)


def test_revoking_ends_every_connection_and_deleting_waits_for_that(api: Api, world: World) -> None:
    pair = world.pair()
    address = f"clients/{world.client.client_id}/"
    errors_of(api.delete(address), 409)
    assert "X-Reason" in errors_of(api.post(f"{address}revoke/"))
    assert api.post(f"{address}revoke/", **REASON).status_code == 200
    world.connection.refresh_from_db()
    assert world.connection.revoked_by == "staff"
    assert world.refresh(pair["refresh_token"]).status_code == 400
    assert last_event(kind=Kind.OAUTH_CONNECTION_REVOKED).note == REASON["X-Reason"]
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED).client_id == world.client.client_id
