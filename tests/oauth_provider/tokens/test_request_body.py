"""The parameters of a token request have one meaning, or the request has none (rows D01 to D03, D16, D18, D20)."""

import json
from typing import Any

import pytest
from django.test import Client as Browser

from audit.ledger.models import Event
from tests.agreed import World, form_encoded

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
ENDPOINTS = [
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/introspect",
    "/api/v1/gpt/oauth/token",
    "/api/v1/gpt/oauth/revoke",
]


def post(body: bytes | str, content_type: str = FORM, path: str = "/oauth/token") -> Any:
    return Browser().post(path, body, content_type=content_type)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete"])
def test_d01_only_post_is_answered(path: str, method: str) -> None:
    answer = getattr(Browser(), method)(path)
    assert answer.status_code == 405
    assert "POST" in answer["Allow"]


MALFORMED: dict[str, tuple[str, bytes | str, int, str]] = {
    "duplicate": (FORM, "grant_type=refresh_token&grant_type=refresh_token", 400, "invalid_request"),
    "duplicate-client": (FORM, "grant_type=refresh_token&client_id=a&client_id=a", 400, "invalid_request"),
    "duplicate-resource": (FORM, "grant_type=refresh_token&resource=a&resource=b", 400, "invalid_target"),
    "D20-nul": (FORM, "grant_type=refresh_token&refresh_token=%00", 400, "invalid_request"),
    "D20-bad-utf-8": (FORM, b"grant_type=\xff", 400, "invalid_request"),
    "D20-bad-encoded-utf-8": (FORM, "grant_type=%ff", 400, "invalid_request"),
    "D20-large": (FORM, "grant_type=" + "x" * 70_000, 413, "invalid_request"),
    "many": (FORM, "&".join(f"p{n}=x" for n in range(60)), 400, "invalid_request"),
    "empty": (FORM, "", 400, "invalid_request"),
    "empty-grant-type": (FORM, "grant_type=", 400, "invalid_request"),
    "D16-unknown-grant": (FORM, "grant_type=x", 400, "unsupported_grant_type"),
    "D15-password": (FORM, "grant_type=password&username=a&password=b", 400, "unsupported_grant_type"),
    "multipart": ("multipart/form-data; boundary=x", "--x--", 415, "invalid_request"),
    "text": ("text/plain", "grant_type=refresh_token", 415, "invalid_request"),
    "json-broken": (JSON, "{", 400, "invalid_request"),
    "json-list": (JSON, '[["grant_type", "refresh_token"]]', 400, "invalid_request"),
    "json-number": (JSON, '{"grant_type": 5}', 400, "invalid_request"),
    "json-null": (JSON, '{"grant_type": null}', 400, "invalid_request"),
    "json-object": (JSON, '{"grant_type": {"a": "b"}}', 400, "invalid_request"),
    "json-duplicate": (JSON, '{"grant_type": "a", "grant_type": "a"}', 400, "invalid_request"),
    "json-nul": (JSON, '{"grant_type": "a\\u0000"}', 400, "invalid_request"),
    "json-surrogate": (JSON, '{"grant_type": "\\ud800"}', 400, "invalid_request"),
    "json-deep": (JSON, "[" * 50_000, 400, "invalid_request"),
    "json-utf-16": (JSON, '{"grant_type": "a"}'.encode("utf-16"), 400, "invalid_request"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("content_type", "body", "status", "error"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_has_no_single_meaning_is_refused(content_type: str, body: bytes | str, status: int, error: str) -> None:
    answer = post(body, content_type)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}
    assert answer["Cache-Control"] == "no-store"
    event = Event.objects.get(kind="oauth:token:refused")
    assert (event.status, event.client_id) == (status, "")


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/introspect"])
def test_d02_parameters_in_the_address_are_refused(world: World, path: str) -> None:
    form = {
        "client_id": world.client.client_id,
        "client_secret": world.secret,
        "token": "x",
        "grant_type": "refresh_token",
    }
    answer = world.browser.post(f"{path}?{form_encoded(form)}", "", content_type=FORM)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert world.secret not in str(list(Event.objects.values()))


def test_a_resource_may_be_sent_twice_if_it_is_the_same(world: World) -> None:
    identifier = world.connection.resource.identifier
    form = {
        "grant_type": "refresh_token",
        "refresh_token": world.pair()["refresh_token"],
        "client_id": world.client.client_id,
        "client_secret": world.secret,
        "resource": identifier,
    }
    body = f"{form_encoded(form)}&{form_encoded({'resource': identifier})}"
    assert world.browser.post("/oauth/token", body, content_type=FORM).status_code == 200


def test_a_parameter_without_a_value_counts_as_absent(world: World) -> None:
    assert world.refresh(world.pair()["refresh_token"], scope="", resource="").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/oauth/revoke", "/oauth/introspect"])
def test_the_other_endpoints_read_by_the_same_rules(path: str) -> None:
    assert post("token=a&token=b", path=path).json()["error"] == "invalid_request"
    assert post(json.dumps({"token": 5}), JSON, path).json()["error"] == "invalid_request"


@pytest.mark.parametrize("path", ["/oauth/revoke", "/oauth/introspect"])
def test_the_other_endpoints_need_a_token(world: World, path: str) -> None:
    answer = world.post(path)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token"])
def test_a_grant_without_its_credential_is_refused(world: World, grant_type: str) -> None:
    assert world.token(grant_type=grant_type).json()["error"] == "invalid_request"
