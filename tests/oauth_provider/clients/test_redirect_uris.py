"""Which addresses may be registered (RFC 9700 section 4.1, RFC 8252 section 7)."""

import pytest
from django.core.exceptions import ValidationError

from oauth_provider.clients.redirect_uris import check_redirect_uris

FOR_ANYBODY = [
    "https://a.example/cb",
    "https://a.example/cb?x=1",
    "http://127.0.0.1/cb",
    "http://localhost:8000/cb",
    "http://[::1]/cb",
]
FOR_APPS_WITHOUT_A_SECRET = ["cursor://anysphere.cursor-mcp/oauth/callback", "com.example.app:/cb"]
FOR_NOBODY = [
    "http://a.example/cb",
    "http://127.0.0.1.example/cb",
    "https://user@a.example/cb",
    "https://a.example/cb#fragment",
    "https://a.example/cb#",
    "https://*.example/cb",
    "https://a.example/c b",
    "https://a.example\\@evil.example/",
    "https:///cb",
    "https://[::1",
    "https://a.example:99999/",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "//a.example/cb",
    "/cb",
    "https://é.example/cb",
    "https://a.example/\x00",
    "https://a.example/" + "x" * 2000,
]


@pytest.mark.parametrize("uri", FOR_ANYBODY)
@pytest.mark.parametrize("public", [True, False])
def test_for_anybody(uri: str, public: bool) -> None:
    check_redirect_uris([uri], public=public)


@pytest.mark.parametrize("uri", FOR_APPS_WITHOUT_A_SECRET)
def test_an_apps_own_scheme_is_for_apps_without_a_secret(uri: str) -> None:
    check_redirect_uris([uri], public=True)
    with pytest.raises(ValidationError):
        check_redirect_uris([uri], public=False)


@pytest.mark.parametrize("uri", FOR_NOBODY)
@pytest.mark.parametrize("public", [True, False])
def test_for_nobody(uri: str, public: bool) -> None:
    with pytest.raises(ValidationError):
        check_redirect_uris([uri], public=public)


def test_every_fault_is_said_at_once() -> None:
    with pytest.raises(ValidationError) as faults:
        check_redirect_uris(["http://a.example", "https://b.example", "ftp://c.example"], public=True)
    assert len(faults.value.messages) == 2
