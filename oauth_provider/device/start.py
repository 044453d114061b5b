"""A device asks for its codes (RFC 8628 sections 3.1 and 3.2), examined as an authorization request is."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.utils import timezone

from audit.ledger.kinds import Decision, Kind
from audit.ledger.origin import origin_network
from audit.ledger.record import record
from oauth_provider.authorize.checks.check_resource import check_resource
from oauth_provider.authorize.checks.check_scope import check_scope
from oauth_provider.authorize.errors import LocalError, RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest, parse
from oauth_provider.clients.models import Client
from oauth_provider.device.codes import (
    INTERVAL_S,
    LIFETIME,
    new_device_code,
    new_user_code,
    shown_user_code,
    user_code_digest,
)
from oauth_provider.device.models import DeviceCode

VERIFICATION_PATH = "/device"


class DeviceRefusedError(Exception):
    """No codes for this client or this request; `error` is a code of RFC 6749 section 5.2 or RFC 8707."""

    def __init__(self, error: str, description: str, *, reason: str) -> None:
        super().__init__(reason)
        self.error = error
        self.description = description
        self.reason = reason


def start_device(*, client: Client, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The answer with both codes; of `parameters`, `scope` and `resource` count.

    Raises:
        DeviceRefusedError: staff did not allow the client devices, or it may not ask for this.
    """
    if not client.device_grant_allowed:
        raise DeviceRefusedError(
            "unauthorized_client", "The client may not use this grant type.", reason="device_grant_not_allowed"
        )
    row = _examined(client, parameters)
    device_code = new_device_code()
    row.checksum = hashlib.sha256(device_code.encode()).hexdigest()
    user_code = shown_user_code(_store(row))
    record(
        kind=Kind.OAUTH_DEVICE_STARTED,
        client_id=client.client_id,
        decision=Decision.ALLOW,
        status=200,
        scopes_required=row.scopes,
        audience=row.resource.identifier,
    )
    address = f"{settings.PUBLIC_BASE_URL}{VERIFICATION_PATH}"
    return {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": address,
        "verification_uri_complete": f"{address}?user_code={user_code}",
        "expires_in": int(LIFETIME.total_seconds()),
        "interval": INTERVAL_S,
    }


def asked_for_device(client: Client, *, scope: str, resource: str) -> AuthorizationRequest:
    """The request as the authorization endpoint would read it.

    Raises:
        LocalError: a value is too long.
    """
    query = QueryDict(mutable=True)
    query.update({"client_id": client.client_id, "scope": scope, "resource": resource})
    return parse(query)


def _examined(client: Client, parameters: Mapping[str, str]) -> DeviceCode:
    """What the device may ask for, its codes not made yet."""
    try:
        asked = asked_for_device(client, scope=parameters.get("scope", ""), resource=parameters.get("resource", ""))
        resource = check_resource(asked, client)
        scopes = check_scope(asked, client)
    except LocalError as error:
        raise DeviceRefusedError("invalid_request", "A parameter is too long.", reason=error.reason) from error
    except RedirectError as error:
        raise DeviceRefusedError(error.code, error.description, reason=error.reason) from error
    return DeviceCode(
        client=client,
        resource=resource,
        scopes=" ".join(scope.name for scope in scopes),
        network=origin_network(),
        expires_at=timezone.now() + LIFETIME,
    )


def _store(row: DeviceCode) -> str:
    # Two of 25 thousand million: once more is enough for whoever had bad luck
    for _attempt in range(8):
        user_code = new_user_code()
        row.user_code_digest = user_code_digest(user_code)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            continue
        return user_code
    raise IntegrityError("no free user code")
