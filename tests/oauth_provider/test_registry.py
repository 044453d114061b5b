"""Resources: exact identifiers, forgiving only case of scheme and host and one trailing slash (RFC 8707)."""

import pytest
from django.conf import settings

from oauth_provider.resources import registry

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("suffix", ["/api/v1/echo", "/api/v1/echo/"])
def test_a_registered_resource_is_found(suffix: str) -> None:
    registry.register(path="/api/v1/echo", title="Echo")
    found = registry.find(settings.PUBLIC_BASE_URL + suffix)
    assert found is not None
    assert found.identifier == f"{settings.PUBLIC_BASE_URL}/api/v1/echo"


@pytest.mark.parametrize(
    "identifier",
    [
        "https://unknown.example/api/v1/echo",
        "{issuer}/api/v1/echoes",
        "{issuer}/api/v1",
        "{issuer}/api/v1/echo//",
        "{issuer}/api/v1/echo#fragment",
        "{issuer}/api/v1/echo?query",
        "{issuer}/API/v1/echo",
        "/api/v1/echo",
        "{issuer}/api/v1/ec\nho",
        " {issuer}/api/v1/echo",
        "{issuer}/api/v1/echo\x00",
        "http://[",
        "",
    ],
)
def test_anything_else_is_not(identifier: str) -> None:
    registry.register(path="/api/v1/echo", title="Echo")
    assert registry.find(identifier.format(issuer=settings.PUBLIC_BASE_URL)) is None
