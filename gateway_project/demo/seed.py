"""Bring the demo into being: idempotent, so that every start may run it."""

from typing import Any

from django.conf import settings
from django.db import transaction

from gateway_project.demo import credentials
from gateway_project.demo.data import BACKENDS, CLIENTS, ECHO_PREFIX, SCOPE_NAMES, SCOPES, STAFF, USERS, DemoBackend
from gateway_project.demo.facts import Facts
from gateway_project.demo.job_list import add_job_list
from oauth_provider.clients.models import Client
from oauth_provider.registration.models import Mode, RegistrationPolicy
from oauth_provider.resources.models import Resource
from oauth_provider.scopes.add import add_scope
from oauth_provider.scopes.models import Scope
from proxy.catalogue.from_environment import GPT
from proxy.catalogue.models import Backend
from proxy.catalogue.recruiting import add_operations
from proxy.catalogue.remove import remove_backend
from proxy.catalogue.save import save_backend

REASON = credentials.REASON


def seed(*, known: Facts, backends_origin: str) -> Facts:
    """Create what the demo lacks and return its demo.json.

    Args:
        known: demo.json of the last run, whose credentials are kept as far as they still work.
        backends_origin: where the demo's own backends answer, such as http://127.0.0.1:8001.
    """
    for scope in SCOPES:
        add_scope(scope=Scope(**scope, self_registration=True), reason=REASON)
    # In the demo any client may come in by itself; staff's own choice is kept
    RegistrationPolicy.objects.get_or_create(
        pk=RegistrationPolicy.SINGLETON,
        defaults={"mode": Mode.OPEN, "document_mode": Mode.OPEN, "default_resource": ECHO_PREFIX},
    )
    _seed_backends(backends_origin)
    issuer = settings.PUBLIC_BASE_URL
    return {
        "issuer": issuer,
        "staff": {
            "username": STAFF,
            "password": _person(known, STAFF, staff=True),
            "url": f"{issuer}/admin/",
        },
        "users": [
            {"username": name, "password": _person(known, name, external_id=external_id), "external_id": external_id}
            for name, external_id in USERS
        ],
        "clients": _clients(known.get("clients")),
        "api_key": credentials.api_key(known=str(known.get("api_key", ""))),
        "scopes": list(SCOPE_NAMES),
        "backends": {
            wanted.name: {"prefix": wanted.prefix, "upstream": f"{backends_origin}{wanted.path}"} for wanted in BACKENDS
        },
        "mcp_url": f"{issuer}/mcp",
    }


@transaction.atomic
def _seed_backends(origin: str) -> None:
    if GPT.upper() not in settings.SERVICE_URLS:
        # Left over from a run that had the variable: `gpt` gives its prefix back to careers
        for left_over in Backend.objects.filter(name=GPT):
            remove_backend(backend=left_over, actor=None, note="GPT_SERVICE_URL is not set")
    for wanted in BACKENDS:
        _seed_backend(wanted, f"{origin}{wanted.path}")
    add_job_list(backend=Backend.objects.get(name="careers"), reason=REASON)


def _seed_backend(wanted: DemoBackend, upstream: str) -> None:
    backend = Backend.objects.filter(name=wanted.name).first()
    if backend is None:
        backend = Backend(
            name=wanted.name, prefix=wanted.prefix, allow_private=True, identity_headers=list(wanted.identity_headers)
        )
    # The port may be another one than last time, and the prefix with `gpt`; a variable is followed afterwards
    is_overridden = wanted.name.upper() in settings.SERVICE_URLS
    is_taken = Backend.objects.filter(name=GPT, prefix=wanted.prefix).exists()
    values = {
        "upstream_url": backend.upstream_url if is_overridden and backend.pk else upstream,
        "prefix": backend.prefix if is_taken else wanted.prefix,
    }
    changed = [name for name, value in values.items() if getattr(backend, name) != value]
    if changed or backend.pk is None:
        for name, value in values.items():
            setattr(backend, name, value)
        save_backend(backend=backend, actor=None, fields=changed, reason=REASON)
    add_operations(backend=backend, operations=wanted.operations, reason=REASON)


def _person(known: Facts, username: str, *, external_id: str = "", staff: bool = False) -> str:
    password = credentials.known_password(known, username)
    return credentials.person(username=username, password=password, external_id=external_id, staff=staff)


def _clients(known: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - whatever a file holds
    described = {}
    for wanted in CLIENTS:
        last = known.get(wanted.key) if isinstance(known, dict) else None
        client, secret = credentials.client(wanted=wanted, known=last if isinstance(last, dict) else {})
        client.introspects.set(Resource.objects.filter(path__in=wanted.serves))
        described[wanted.key] = _describe(client, secret)
    return described


def _describe(client: Client, secret: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": client.name, "client_id": client.client_id}
    if secret:
        facts["client_secret"] = secret
    if client.redirect_uris:
        facts["redirect_uris"] = sorted(client.redirect_uris.split())
    if client.redirect_uris and secret:
        facts["authorization_url"] = f"{settings.PUBLIC_BASE_URL}/oauth/authorize"
        facts["token_url"] = f"{settings.PUBLIC_BASE_URL}/oauth/token"
    return facts | {"scopes": [name for name in SCOPE_NAMES if name in client.scope_set]}
