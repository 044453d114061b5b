"""The backends that a deployment's environment describes: `<NAME>_SERVICE_URL`, and the backend `gpt` with its key."""

from collections.abc import Mapping

import structlog
from django.db import transaction

from oauth_provider.resources.registry import register
from proxy.catalogue.credentials import BearerCredential
from proxy.catalogue.models import Backend
from proxy.catalogue.plans import MCP_PATH
from proxy.catalogue.recruiting import IDENTITY_HEADERS, add_recruiting
from proxy.catalogue.save import save_backend

GPT = "gpt"
GPT_PREFIX = "/api/v1/gpt"
GPT_DEFAULT_URL = "http://localhost:3014"
REASON = "environment"

log = structlog.get_logger(__name__)


@transaction.atomic
def bring_catalogue_in_line(*, service_urls: Mapping[str, str], internal_service_key: str | None, demo: bool) -> None:
    """Create the backend `gpt` where it belongs, then send every named backend where its variable says.

    And the resource of the MCP server, which no backend brings along.

    Args:
        service_urls: by the name before `_SERVICE_URL`: GPT, CAREERS.
        internal_service_key: what the gateway shows the backend `gpt` as its own Bearer credential.
        demo: `gpt` exists only when its variable is set, and then takes its prefix over from `careers`.

    Raises:
        ValidationError: by field, when the data plane could not run a backend.
    """
    register(path=MCP_PATH, title="MCP")
    if GPT.upper() in service_urls or not demo:
        _create_gpt(service_urls.get(GPT.upper(), GPT_DEFAULT_URL), demo=demo)
    backends = {backend.name.upper().replace("-", "_"): backend for backend in Backend.objects.select_for_update()}
    for name, url in service_urls.items():
        if name in backends:
            _point(backends[name], url)
        else:
            log.warning("service_url_without_backend", variable=f"{name}_SERVICE_URL")
    if internal_service_key and GPT.upper() in backends:
        _give_credential(backends[GPT.upper()], internal_service_key)


def _create_gpt(url: str, *, demo: bool) -> None:
    if Backend.objects.filter(name=GPT).exists():
        return
    holder = Backend.objects.filter(prefix=GPT_PREFIX).first()
    if holder and not demo:
        log.warning("backend_not_created", backend=GPT, prefix=GPT_PREFIX, holder=holder.name)
        return
    if holder:
        holder.prefix = f"/api/v1/{holder.name}"
        save_backend(backend=holder, actor=None, fields=("prefix",), reason=REASON)
    backend = Backend(
        name=GPT,
        prefix=GPT_PREFIX,
        upstream_url=url,
        # Whoever sets the environment runs the service; its default is this very machine
        allow_private=True,
        identity_headers=list(IDENTITY_HEADERS),
    )
    save_backend(backend=backend, actor=None, reason=REASON)
    add_recruiting(backend=backend, reason=REASON)


def _point(backend: Backend, url: str) -> None:
    if (backend.upstream_url, backend.allow_private) == (url, True):
        return
    backend.upstream_url, backend.allow_private = url, True
    save_backend(backend=backend, actor=None, fields=("upstream_url", "allow_private"), reason=REASON)


def _give_credential(backend: Backend, key: str) -> None:
    given = BearerCredential(token=key)
    if backend.credential != given:
        save_backend(backend=backend, actor=None, credential=given, fields=("credential",), reason=REASON)
