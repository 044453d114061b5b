"""Store what the table needs at a started demo: `python -m tests.attacks.gateway.prepare <backend> <listener>`.

Both are ports. It prints the tokens, by name, as JSON.
"""
# ruff: noqa: E402 - Django's registry must be ready before anything with a model is imported

import contextlib
import hashlib
import json
import sys
from typing import Any

import django

django.setup()

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from oauth_provider.clients.models import Client, Preset
from oauth_provider.clients.secrets import create_secret
from oauth_provider.connections.models import Connection
from oauth_provider.identities.models import Identity
from oauth_provider.resources.registry import register
from oauth_provider.tokens.revocation import revoke_token
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.plans import MCP_PATH
from proxy.catalogue.save import save_backend, save_operation
from tests.agreed import REDIRECT, World
from tests.attacks.gateway.field import ALICE, BOB, CROWD, FAULTS, INSIDE, JOBS

READ, WRITE = ("tool:read",), ("tool:read", "tool:write")
PAYROLL = "/api/v1/payroll"
EVERYTHING: list[Any] = [(["GET"], "/**", (), "")]
BODY = {"type": "object", "properties": {"job": {"type": "string"}}}
# Methods, path, scopes, tool
JOBS_OPERATIONS: list[tuple[list[str], str, tuple[str, ...], str]] = [
    (["GET"], "/v1/jobs", READ, "search_jobs"),
    (["GET"], "/v1/jobs/{id}", READ, ""),
    (["POST"], "/v1/applications", WRITE, "apply"),
]


def main(port: int, evil_port: int) -> None:
    """Store and print."""
    with transaction.atomic():
        _backends(f"http://127.0.0.1:{port}/base")
        for number, host in enumerate(INSIDE):
            # Refused at once, or when it is called
            with contextlib.suppress(ValidationError):
                _backend(
                    f"/api/v1/inside{number}", f"http://{host}:{evil_port}", EVERYTHING,
                    auth_mode="public", allow_private=False,
                )  # fmt: skip
        client = Client.objects.create(
            name="Attacked",
            preset=Preset.OTHER,
            client_type=Client.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Client.GRANT_AUTHORIZATION_CODE,
            redirect_uris=REDIRECT,
            allowed_scopes=" ".join(WRITE),
            default_resource=JOBS,
        )
        secret = create_secret(client=client, actor=None)
    made = {
        name: _token(client, secret, user, path, scopes)
        for name, user, path, scopes in (
            ("TR", ALICE, JOBS, READ),
            ("TW", ALICE, JOBS, WRITE),
            ("TB", BOB, JOBS, WRITE),
            ("TEXP", ALICE, JOBS, READ),
            ("TREV", ALICE, JOBS, READ),
            ("TAUD", ALICE, PAYROLL, READ),
            ("MR", ALICE, MCP_PATH, READ),
            ("MW", ALICE, MCP_PATH, WRITE),
            *((name, f"user_{name.lower()}", JOBS, READ) for name in CROWD),
        )
    }
    past = timezone.now() - timedelta(hours=1)
    checksum = hashlib.sha256(made["TEXP"].encode()).hexdigest()
    get_access_token_model().objects.filter(token_checksum=checksum).update(expires=past)
    revoke_token(token=made["TREV"], client=client)
    print(json.dumps(made))


def _token(client: Client, secret: str, name: str, path: str, scopes: tuple[str, ...]) -> str:
    person, _made = get_user_model().objects.get_or_create(username=name)
    Identity.objects.update_or_create(user=person, defaults={"external_id": name})
    connection, _made = Connection.objects.get_or_create(
        user=person,
        client=client,
        resource=register(path=path, title=path),
        defaults={"redirect_host": "client.example", "scopes": " ".join(WRITE)},
    )
    token: str = World(Browser(SERVER_NAME="127.0.0.1"), client, secret, connection).pair(scopes=scopes)["access_token"]
    return token


def _backends(upstream: str) -> None:
    _backend(JOBS, upstream, JOBS_OPERATIONS)
    _backend(PAYROLL, upstream.replace("/base", "/payroll"), [(["GET"], "/**", READ, "")])
    for number in range(FAULTS):
        _backend(f"/api/v1/fault{number}", upstream, EVERYTHING, auth_mode="public", timeout_ms=1500)


def _backend(prefix: str, upstream: str, operations: list[Any], **fields: Any) -> None:
    backend = Backend(
        name=prefix.rpartition("/")[2], prefix=prefix, upstream_url=upstream, **{"allow_private": True, **fields}
    )
    save_backend(backend=backend, actor=None)
    for number, (methods, path, scopes, tool) in enumerate(operations):
        operation = Operation(
            backend=backend,
            operation_id=f"{backend.name}-{number}",
            methods=methods,
            path=path,
            scopes=list(scopes),
            tool_name=tool or None,
            request_schema=BODY if methods == ["POST"] else None,
        )
        save_operation(operation=operation, actor=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
