"""A script of the staff sets up a service, its call is found in the audit log, and one request stops it."""

from typing import Any

import httpx
import pytest

from tests.journeys import steps
from tests.journeys.server import Demo

REASON = {"X-Reason": "the journey says so"}


@pytest.fixture(scope="module")
def service(demo: Demo, manage: httpx.Client) -> dict[str, Any]:
    """A backend of its own with one operation, and a client that may call it."""
    upstream = demo.facts["backends"]["echo"]["upstream"]
    made(manage, "scopes/", {"name": "reports:read", "title": "Read reports"})
    made(manage, "backends/", {"name": "reports", "upstream_url": upstream, "allow_private": True})
    operation = {"backend": "reports", "method": "GET", "path": "/daily/{day}", "scopes": ["reports:read"]}
    made(manage, "operations/", operation)
    client = {"name": "Reporter", "preset": "service", "scopes": ["reports:read"]}
    return made(manage, "clients/", client | {"default_resource": f"{demo.issuer}/api/v1/reports"})


def made(manage: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a POST made."""
    answer = manage.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def call(demo: Demo, token: str) -> httpx.Response:
    """The one call there is."""
    header = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{demo.issuer}/api/v1/reports/daily/monday?secret=word", headers=header, timeout=20)


def test_a_service_is_set_up_found_and_stopped(demo: Demo, manage: httpx.Client, service: dict[str, Any]) -> None:
    answer = steps.at_token_endpoint(demo, service, {"grant_type": "client_credentials"})
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    called = call(demo, token)
    assert called.status_code == 200, called.text

    found = manage.get("audit/events/", params={"kind": "call", "request_id": called.headers["X-Request-Id"]}).json()
    (event,) = found["results"]
    assert event["client_id"] == service["client_id"]
    assert (event["backend"], event["operation"], event["decision"]) == ("reports", "get-daily-day", "allow")
    assert event["path"] == "/api/v1/reports/daily/{day}"
    assert "word" not in str(found)

    stopped = manage.post(f"clients/{service['client_id']}/suspend/", headers=REASON)
    assert stopped.json()["suspended"] is True
    passed_s = steps.refused_after_s(lambda: call(demo, token), within_s=1.0)
    print(f"refused {passed_s * 1000:.0f} ms after the answer")


@pytest.mark.parametrize("attempt", range(10))
def test_a_new_operation_answers_the_very_next_request(demo: Demo, manage: httpx.Client, attempt: int) -> None:
    body = {"backend": "echo", "method": "GET", "path": f"/at-once/{attempt}", "scopes": [], "auth_mode": "public"}
    url = f"{demo.issuer}/api/v1/echo/at-once/{attempt}"
    with httpx.Client(timeout=20) as kept:
        kept.get(f"{demo.issuer}/healthz")
        operation = made(manage, "operations/", body)
        assert kept.get(url).status_code == 200
        assert manage.delete(f"operations/{operation['id']}/", headers=REASON).status_code == 204
        assert kept.get(url).status_code == 401
