"""RFC 8414 metadata as AI clients read it."""

import pytest
from django.conf import settings
from django.test import Client as Browser

from oauth_provider.scopes.models import Scope

NAMES = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_both_names_give_one_document_with_this_issuer(client: Browser, name: str) -> None:
    Scope.objects.create(name="off:read", title="Off", enabled=False)
    Scope.objects.create(name="on:read", title="On")
    response = client.get(name)
    document = response.json()
    assert response.status_code == 200
    assert document["issuer"] == settings.PUBLIC_BASE_URL
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "on:read" in document["scopes_supported"]
    assert "off:read" not in document["scopes_supported"]
    assert None not in document.values()
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cache-Control"] == "public, max-age=300"


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
def test_b16_the_issuer_does_not_follow_a_header(client: Browser, header: str) -> None:
    response = client.get(NAMES[0], headers={header: "evil.example"})
    assert response.status_code == 400 or response.json()["issuer"] == settings.PUBLIC_BASE_URL
    assert b"evil" not in response.content


@pytest.mark.django_db
def test_b17_another_issuers_document_is_not_here(client: Browser) -> None:
    assert client.get(f"{NAMES[0]}/other").status_code == 404


@pytest.mark.django_db
def test_the_key_set_holds_no_private_part(client: Browser) -> None:
    response = client.get("/.well-known/jwks.json")
    assert response.status_code == 200
    assert all("d" not in key for key in response.json()["keys"])
