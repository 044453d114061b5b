"""What a client can discover about OpenID Connect here (Discovery section 3)."""

import pytest
from django.conf import settings
from django.test import Client as Browser

from oauth_provider.scopes.models import Scope
from tests.oauth_provider.authorize.world import World

NAMES = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]
REQUIRED = {
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
}


@pytest.mark.parametrize("name", NAMES)
def test_both_names_tell_it(world: World, name: str) -> None:
    found = Browser().get(name).json()
    assert found.keys() >= REQUIRED
    assert found["userinfo_endpoint"] == f"{settings.PUBLIC_BASE_URL}/oauth/userinfo"
    assert found["subject_types_supported"] == ["public"]
    assert found["id_token_signing_alg_values_supported"] == ["ES256"]
    assert set(found["scopes_supported"]) >= {"openid", "profile", "email", "offline_access"}
    assert set(found["claims_supported"]) >= {"sub", "auth_time", "nonce", "at_hash", "email", "email_verified", "name"}
    assert found["request_uri_parameter_supported"] is False


def test_only_what_is_offered_is_told(world: World) -> None:
    Scope.objects.filter(name="email").update(enabled=False)
    found = Browser().get(NAMES[0]).json()
    assert "email" not in found["scopes_supported"]
    assert not {"email", "email_verified"} & set(found["claims_supported"])
    Scope.objects.filter(name="openid").update(enabled=False)
    found = Browser().get(NAMES[0]).json()
    assert not {"userinfo_endpoint", "claims_supported", "id_token_signing_alg_values_supported"} & found.keys()
