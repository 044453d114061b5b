"""RFC 8414 metadata as AI clients read it."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client as Browser

from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.server import GRANT_TYPES

pytestmark = pytest.mark.django_db

SERVER = "/.well-known/oauth-authorization-server"
NAMES = [SERVER, "/.well-known/openid-configuration"]
DOCUMENTS = [*NAMES, "/.well-known/jwks.json"]
ANY_ORIGIN = {"origin": "https://inspector.example"}


def document(client: Browser, name: str = SERVER, **headers: str) -> dict[str, Any]:
    """The metadata served at `name`."""
    response = client.get(name, headers=headers)
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("name", NAMES)
def test_both_names_give_one_document_with_this_issuer_and_no_redirect(client: Browser, name: str, slash: str) -> None:
    response = client.get(name + slash)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json() == document(client)
    assert response.json()["issuer"] == settings.PUBLIC_BASE_URL


def test_b18_only_what_works_is_advertised(client: Browser) -> None:
    found = document(client)
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["response_types_supported"] == ["code"]
    assert found["response_modes_supported"] == ["query"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert set(found["grant_types_supported"]) == GRANT_TYPES
    assert "offline_access" not in found.get("scopes_supported", [])


def test_every_advertised_endpoint_is_there(client: Browser) -> None:
    found = document(client)
    for key in (key for key in found if re.search(r"_endpoint$|^jwks_uri$", key)):
        assert found[key].startswith(f"{settings.PUBLIC_BASE_URL}/")
        assert client.get(found[key].removeprefix(settings.PUBLIC_BASE_URL)).status_code != 404


@pytest.mark.parametrize("grant_type", ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "x"])
def test_h07_a_grant_that_is_not_advertised_does_not_work(client: Browser, grant_type: str) -> None:
    assert grant_type not in document(client)["grant_types_supported"]
    form = f"grant_type={grant_type}&client_id=x"
    response = client.post("/oauth/token", form, content_type="application/x-www-form-urlencoded")
    assert response.json()["error"] == "unsupported_grant_type"


def test_the_scopes_follow_the_database(client: Browser) -> None:
    scope = Scope.objects.create(name="on:read", title="On")
    assert "on:read" in document(client)["scopes_supported"]
    scope.enabled = False
    scope.save()
    assert "on:read" not in document(client).get("scopes_supported", [])


def test_a_key_without_a_value_is_left_out_and_never_null(client: Browser) -> None:
    Scope.objects.all().delete()
    found = document(client)
    assert "scopes_supported" not in found
    assert all(value is not None and value != [] for value in found.values())


@pytest.mark.parametrize("version", ["2024-11-05", "2025-11-25", "2026-07-28", "nonsense"])
def test_the_protocol_version_of_mcp_is_ignored(client: Browser, version: str) -> None:
    assert document(client, **{"mcp-protocol-version": version}) == document(client)


@pytest.mark.parametrize("header", ["host", "x-forwarded-host", "forwarded"])
def test_b16_the_issuer_does_not_follow_a_header(client: Browser, header: str) -> None:
    response = client.get(NAMES[0], headers={header: "evil.example"})
    assert response.status_code == 400 or response.json()["issuer"] == settings.PUBLIC_BASE_URL
    assert b"evil" not in response.content


def test_another_name_of_this_host_names_the_same_issuer(client: Browser) -> None:
    for host in settings.ALLOWED_HOSTS:
        assert document(client, host=host) == document(client)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", ["/other", "/mcp", "/api/v1/echo", "/a/b/"])
def test_b17_an_issuer_with_a_path_is_not_here(client: Browser, name: str, path: str) -> None:
    response = client.get(f"{name}{path}", headers=ANY_ORIGIN)
    assert response.status_code == 404
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "issuer" not in response.json()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_h10_any_origin_may_read_it_and_caches_keep_it_for_minutes(client: Browser, name: str) -> None:
    for method in (client.get, client.head):
        response = method(name, headers=ANY_ORIGIN)
        assert response["Access-Control-Allow-Origin"] == "*"
        assert response["Cache-Control"] == "public, max-age=300"
        assert not response.cookies


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_browser_may_send_the_protocol_version(client: Browser, name: str) -> None:
    asked = {"access-control-request-method": "GET", "access-control-request-headers": "mcp-protocol-version"}
    response = client.options(name, headers=ANY_ORIGIN | asked)
    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Access-Control-Allow-Headers"] == "*"
    assert "GET" in response["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_can_only_be_read(client: Browser, name: str) -> None:
    response = client.post(name)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_the_key_set_holds_no_private_part(client: Browser) -> None:
    response = client.get("/.well-known/jwks.json")
    assert response.status_code == 200
    assert all("d" not in key for key in response.json()["keys"])
