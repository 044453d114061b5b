"""What a client can discover about this server (RFC 8414), and its public keys (RFC 7517)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from oauth_provider.device.live import DEVICE_CODE
from oauth_provider.keys.signing import jwks
from oauth_provider.metadata.public import public_document
from oauth_provider.openid.metadata import openid_metadata
from oauth_provider.registration.models import Mode
from oauth_provider.registration.policy import current_policy
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.assertion_claims import ALGORITHMS
from oauth_provider.tokens.server import live_grant_types

_AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]


@public_document
def authorization_server(_request: HttpRequest) -> HttpResponseBase:
    """RFC 8414 section 2. Only what works is listed, and a key without a value is left out."""
    issuer = settings.PUBLIC_BASE_URL
    document: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": live_grant_types(),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": _AUTH_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": _AUTH_METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": _AUTH_METHODS[1:],
        "introspection_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": [_language_tag(code) for code, _name in settings.LANGUAGES],
    }
    if current_policy().mode != Mode.OFF:
        document["registration_endpoint"] = f"{issuer}/oauth/register"
    if DEVICE_CODE in document["grant_types_supported"]:
        document["device_authorization_endpoint"] = f"{issuer}/oauth/device_authorization"
    scopes = list(Scope.objects.filter(enabled=True).order_by("name").values_list("name", flat=True))
    if scopes:
        document["scopes_supported"] = scopes
    document |= openid_metadata(scopes)
    return JsonResponse(document)


@public_document
def another_issuer(_request: HttpRequest, issuer_path: str) -> HttpResponseBase:
    """An issuer with a path, which nobody is here (RFC 8414 section 3.1): clients that guess one try the next name.

    They must refuse a document whose issuer is not the one they asked for (section 3.3), so none is sent.
    """
    del issuer_path
    return JsonResponse({"error": "not_found", "error_description": "no issuer has this path"}, status=404)


@public_document
def key_set(_request: HttpRequest) -> HttpResponseBase:
    """The JWK Set that backends and clients verify signatures with."""
    return JsonResponse(jwks())


def _language_tag(code: str) -> str:
    language, _dash, region = code.partition("-")
    return f"{language}-{region.upper()}" if region else language
