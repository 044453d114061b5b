"""Make a client that registered itself at Auth0 ready to sign people in; every step may be done twice."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from oauth_provider.webhooks.auth0.management import Declined, Management
from oauth_provider.webhooks.auth0.tenant import Tenant

# Whatever it asked for, this is what an AI client needs
WANTED: Mapping[str, object] = {
    "app_type": "regular_web",
    "is_first_party": True,
    "grant_types": ["authorization_code", "refresh_token"],
}
_FIELDS = "?include_fields=true&fields=client_id,callbacks,app_type,is_first_party,grant_types"


def promote(client_id: str, tenant: Tenant) -> None:
    """The client becomes first-party with the grants of a web application, and gets the connection and the API.

    Raises:
        Declined: it is gone, it returns people to another host than those allowed, or Auth0 says no.
        Unavailable: a step could not be done now.
    """
    api = Management(tenant)
    client = api.call("GET", "clients", client_id, query=_FIELDS)
    _check_returns(client, tenant)
    changes = {name: value for name, value in WANTED.items() if client.get(name) != value}
    if changes:
        api.call("PATCH", "clients", client_id, body=changes)
    if tenant.connection_id:
        _enable(api, client_id)
    if tenant.audience:
        _grant(api, client_id)


def _check_returns(client: object, tenant: Tenant) -> None:
    # Anybody may register at an open tenant: only these hosts make a client one of those the company means
    callbacks = client.get("callbacks") if isinstance(client, dict) else None
    if not isinstance(callbacks, list) or not callbacks or not all(_is_allowed(each, tenant) for each in callbacks):
        raise Declined("redirect_not_allowed", status=403)


def _is_allowed(callback: Any, tenant: Tenant) -> bool:  # noqa: ANN401 - JSON of others
    try:
        parts = urlsplit(callback if isinstance(callback, str) else "")
        return parts.scheme == "https" and parts.netloc.lower() in tenant.redirect_hosts
    except ValueError:
        return False


def _enable(api: Management, client_id: str) -> None:
    connection = api.tenant.connection_id
    try:
        api.call("PATCH", "connections", connection, "clients", body=[{"client_id": client_id, "status": True}])
    except Declined as error:
        if error.status not in {404, 405}:
            raise
        _enable_the_old_way(api, client_id)


def _enable_the_old_way(api: Management, client_id: str) -> None:
    # Tenants without the endpoint above have the whole list in one field
    connection = api.call("GET", "connections", api.tenant.connection_id)
    listed = connection.get("enabled_clients") if isinstance(connection, dict) else None
    enabled = listed if isinstance(listed, list) else []
    if client_id not in enabled:
        api.call("PATCH", "connections", api.tenant.connection_id, body={"enabled_clients": [*enabled, client_id]})


def _grant(api: Management, client_id: str) -> None:
    wanted = {
        "client_id": client_id,
        "audience": api.tenant.audience,
        "scope": list(api.tenant.scopes),
        "subject_type": "user",
    }
    try:
        api.call("POST", "client-grants", body=wanted)
    except Declined as error:
        # It has one already
        if error.status != 409:
            raise
