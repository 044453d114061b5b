"""What a client can discover about this server (RFC 8414), and its public keys (RFC 7517)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from oauth_provider.keys.signing import JWKS_MAX_AGE_S, jwks
from oauth_provider.scopes.models import Scope

_AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post"]


@require_safe
def authorization_server(_request: HttpRequest) -> JsonResponse:
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
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": _AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": _AUTH_METHODS,
        "introspection_endpoint_auth_methods_supported": _AUTH_METHODS[1:],
        "authorization_response_iss_parameter_supported": True,
        "ui_locales_supported": [_language_tag(code) for code, _name in settings.LANGUAGES],
    }
    scopes = list(Scope.objects.filter(enabled=True).order_by("name").values_list("name", flat=True))
    if scopes:
        document["scopes_supported"] = scopes
    return _public(document)


@require_safe
def key_set(_request: HttpRequest) -> JsonResponse:
    """The JWK Set that backends and clients verify signatures with."""
    return _public(jwks())


def _language_tag(code: str) -> str:
    language, _dash, region = code.partition("-")
    return f"{language}-{region.upper()}" if region else language


def _public(document: dict[str, Any]) -> JsonResponse:
    response = JsonResponse(document)
    response["Cache-Control"] = f"public, max-age={JWKS_MAX_AGE_S}"
    # The documents are public and carry no cookie, so any origin may read them (MCP clients in browsers do).
    response["Access-Control-Allow-Origin"] = "*"
    return response
