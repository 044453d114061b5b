"""A stored catalogue with people and their tokens, for tests of the whole data plane."""

import asyncio
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client as Browser

from audit.ledger.models import Event, Subject
from oauth_provider.api_keys.create import create_api_key
from oauth_provider.clients.models import Client, Preset
from oauth_provider.clients.secrets import create_secret
from oauth_provider.connections.models import Connection
from oauth_provider.identities.models import Identity
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope
from oauth_provider.scopes.openid import add_openid_scopes
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.plans import MCP_PATH
from proxy.catalogue.save import save_backend, save_operation
from proxy.catalogue.servers.models import McpServer
from proxy.catalogue.servers.save import save_server
from tests.agreed import REDIRECT, World
from tests.journeys.server import free_port
from tests.tcp_server import HOST

JOBS, OPEN, KEYED, THEIRS, NARROW = (f"/api/v1/{name}" for name in ("jobs", "open", "keyed", "theirs", "narrow"))
# An MCP server of two tools
SERVER = f"{MCP_PATH}/careers"
SCOPES = ("jobs:read", "jobs:write")
API_KEY = "k" * 32
# Prefix, fields, operations as (methods, path, scopes)
CATALOGUE: dict[str, tuple[dict[str, Any], list[tuple[list[str], str, list[str]]]]] = {
    JOBS: (
        {"identity_headers": ["X-Clerk-User-Id"]},
        [
            (["GET"], "/jobs/{id}", ["jobs:read"]),
            (["POST", "DELETE"], "/jobs", ["jobs:write"]),
            (["GET"], "/free", []),
        ],
    ),
    OPEN: ({"auth_mode": "public"}, [(["GET", "POST"], "/**", [])]),
    KEYED: ({"auth_mode": "api_key"}, [(["GET"], "/**", ["jobs:read"])]),
    THEIRS: ({"auth_mode": "passthrough"}, [(["GET"], "/**", [])]),
    NARROW: ({"timeout_ms": 400, "max_concurrency": 1}, [(["GET", "POST"], "/**", [])]),
}


@dataclass(frozen=True)
class Stored:
    """What is in the database, and the port that every backend of it is expected at."""

    port: int
    read: str
    write: str
    narrow: str
    client_id: str
    # Good for the MCP server, with fewer and with all permissions
    tools_read: str
    tools_write: str
    # Good for the MCP server of two tools
    chosen: str


def store() -> Stored:
    """Store the catalogue, ana with her external id, a client, and her tokens."""
    port = free_port()
    _store_catalogue(port)
    create_api_key(name="portal", scopes="jobs:read", actor=None, key=API_KEY)
    ana = get_user_model().objects.create(username="ana")
    Identity.objects.update_or_create(user=ana, defaults={"external_id": "user_2abc"})
    client = Client.objects.create(
        name="Career Copilot",
        preset=Preset.OTHER,
        client_type=Client.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Client.GRANT_AUTHORIZATION_CODE,
        redirect_uris=REDIRECT,
        allowed_scopes=" ".join(SCOPES),
        default_resource=JOBS,
    )
    secret = create_secret(client=client, actor=None)
    agreed = {
        prefix: World(Browser(), client, secret, _connection(ana, client, prefix))
        for prefix in (JOBS, NARROW, MCP_PATH, SERVER)
    }
    return Stored(
        port=port,
        read=agreed[JOBS].pair(scopes=("jobs:read",))["access_token"],
        write=agreed[JOBS].pair(scopes=SCOPES)["access_token"],
        narrow=agreed[NARROW].pair(scopes=SCOPES)["access_token"],
        client_id=client.client_id,
        tools_read=agreed[MCP_PATH].pair(scopes=("jobs:read",))["access_token"],
        tools_write=agreed[MCP_PATH].pair(scopes=SCOPES)["access_token"],
        chosen=agreed[SERVER].pair(scopes=SCOPES)["access_token"],
    )


def _store_catalogue(port: int) -> None:
    for name in SCOPES:
        Scope.objects.create(name=name, title=name)
    # As after a start; no API's document may name them
    add_openid_scopes()
    for prefix, (fields, operations) in CATALOGUE.items():
        name = prefix.rpartition("/")[2]
        backend = Backend(
            name=name, prefix=prefix, upstream_url=f"http://{HOST}:{port}/{name}", allow_private=True, **fields
        )
        save_backend(backend=backend, actor=None)
        for number, (methods, path, scopes) in enumerate(operations):
            operation = Operation(
                backend=backend, operation_id=f"{name}-{number}", methods=methods, path=path, scopes=scopes
            )
            save_operation(operation=operation, actor=None)
    server = McpServer(name="careers", title="Careers", instructions="Look before you apply.")
    chosen = list(Operation.objects.filter(operation_id__in=("jobs-0", "jobs-2")))
    save_server(server=server, actor=None, operations=chosen)


def _connection(user: User, client: Client, prefix: str) -> Connection:
    return Connection.objects.create(
        user=user,
        client=client,
        resource=register(path=prefix, title=prefix),
        redirect_host="client.example",
        scopes=" ".join(SCOPES),
    )


def bearer(token: str) -> tuple[str, str]:
    """The header that carries a token."""
    return ("authorization", f"Bearer {token}")


async def events(request_id: str) -> list[Event]:
    """The events of one call, in the order in which they happened."""
    return await asyncio.to_thread(_events, request_id)


def _events(request_id: str) -> list[Event]:
    try:
        return list(Event.objects.filter(request_id=request_id).order_by("timestamp", "id"))
    finally:
        connections.close_all()


async def subject_of(external_id: str) -> str:
    """The pseudonym of a user."""

    def find() -> str:
        try:
            return Subject.objects.get(external_id=external_id).pseudonym
        finally:
            connections.close_all()

    return await asyncio.to_thread(find)
