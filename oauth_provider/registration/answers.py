"""Answers of the registration endpoints (RFC 7591 section 3.2, RFC 7592 section 3): never null, never an empty text."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse

from oauth_provider.clients.models import Client
from oauth_provider.device.live import DEVICE_CODE
from oauth_provider.registration.errors import RegistrationError
from oauth_provider.registration.metadata import GRANT_TYPES, LINKS, RESPONSE_TYPES
from oauth_provider.registration.models import Registration
from oauth_provider.throttle import ThrottledError

_CHALLENGE = 'Bearer realm="gatehouse"'


def client_information(client: Client, registration: Registration, *, token: str, secret: str = "") -> dict[str, Any]:
    """Everything registered about `client`; `secret` only when it was just made, `token` as it was just used."""
    said = registration.metadata
    body: dict[str, Any] = {
        "client_id": client.client_id,
        "client_name": client.name,
        "redirect_uris": client.redirect_uris.split(),
        "grant_types": [*GRANT_TYPES, *([DEVICE_CODE] if client.device_grant_allowed else [])],
        "response_types": list(RESPONSE_TYPES),
        "token_endpoint_auth_method": said["auth_method"],
        "jwks": json.loads(client.jwks or "null"),
        "jwks_uri": client.jwks_uri,
        "scope": said["scope"],
        "application_type": said["application_type"],
        "software_id": said["software_id"],
        "software_version": said["software_version"],
        **{name: getattr(client, name) for name in LINKS},
        "registration_client_uri": f"{settings.PUBLIC_BASE_URL}/oauth/register/{client.client_id}",
        "registration_access_token": token,
    }
    shown = {name: value for name, value in body.items() if value}
    if client.registered_at is not None:
        shown["client_id_issued_at"] = int(client.registered_at.timestamp())
    if secret:
        # 0: it does not expire (RFC 7591 section 3.2.1)
        shown |= {"client_secret": secret, "client_secret_expires_at": 0}
    return shown


def answer(body: dict[str, Any] | None, *, status: int) -> HttpResponse:
    """The HTTP response; nobody stores it. None for an empty body."""
    response = HttpResponse(status=status) if body is None else JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    return response


def refusal(error: RegistrationError) -> HttpResponse:
    """The error as RFC 7591 section 3.2.2 writes it."""
    response = answer({"error": error.error, "error_description": error.description}, status=error.status)
    if error.status == 401:
        response["WWW-Authenticate"] = f'{_CHALLENGE}, error="{error.error}"'
    if error.status == 503:
        response["Retry-After"] = "3600"
    return response


def throttled(error: ThrottledError) -> HttpResponse:
    """Too many registrations from one address, or nobody can count them."""
    words = f"Try again in {error.retry_after_s} s."
    body = {"error": "temporarily_unavailable", "error_description": words}
    response = answer(body, status=error.status)
    response["Retry-After"] = str(error.retry_after_s)
    return response
