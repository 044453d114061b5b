"""Connections over the management API: found by whom they join, and ended."""

from collections.abc import Callable

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.identities.external_id import user_ref
from tests.agreed import World
from tests.management_api import REASON, Api, errors_of
from tests.staff_browser import last_event


def test_a_connection_says_whom_it_joins(api: Api, world: World) -> None:
    (shown,) = api.get("connections/").json()["results"]
    assert shown["user"] == f"local:{world.connection.user_id}"
    assert shown["client"] == world.client.client_id
    assert shown["resource"] == "http://127.0.0.1:8000/api/v1/echo"
    assert shown["scopes"] == ["tool:read", "tool:write"]
    assert shown["active"] is True
    assert api.get(f"connections/{shown['id']}/").json() == shown


@pytest.mark.parametrize("query", ["user", "client", "resource", "active"])
def test_connections_are_found_by_what_they_join(api: Api, make_world: Callable[..., World], query: str) -> None:
    first, second = make_world("ana"), make_world("bruno")
    wanted = {
        "user": user_ref(first.connection.user).external_id,
        "client": first.client.client_id,
        "resource": "http://127.0.0.1:8000/api/v1/none",
        "active": "false",
    }[query]
    found = [row["client"] for row in api.get("connections/", **{query: wanted}).json()["results"]]
    assert found == ([first.client.client_id] if query in {"user", "client"} else [])
    assert second.client.client_id not in found


def test_a_connection_is_ended_with_a_reason(api: Api, world: World) -> None:
    pair = world.pair()
    address = f"connections/{world.connection.pk}/"
    assert "X-Reason" in errors_of(api.post(f"{address}revoke/"))
    ended = api.post(f"{address}revoke/", **REASON).json()
    assert (ended["active"], ended["revoked_by"]) == (False, "staff")
    assert world.refresh(pair["refresh_token"]).status_code == 400
    event = last_event(kind=Kind.OAUTH_CONNECTION_REVOKED)
    assert (event.note, bool(event.actor)) == (REASON["X-Reason"], True)
    assert api.get("connections/?active=false").json()["results"] == [ended]


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_only_people_make_connections(api: Api, world: World, method: str) -> None:
    address = "connections/" if method == "post" else f"connections/{world.connection.pk}/"
    errors_of(api.http.generic(method.upper(), f"/api/manage/v1/{address}", headers=REASON), 405)


def test_active_is_true_or_false(api: Api) -> None:
    assert "active" in errors_of(api.get("connections/?active=maybe"))
