"""What a client can discover about a protected resource (RFC 9728), from the snapshot."""

import json

from django.conf import settings

from oauth_provider.scopes.openid import OPENID_SCOPES
from proxy.catalogue.models import AuthMode
from proxy.catalogue.plans import METADATA_PATH, BackendPlan, ServerPlan
from proxy.catalogue.snapshot import Snapshot
from proxy.catalogue.watch import Watcher
from proxy.entrypoints.asgi_types import Scope
from proxy.entrypoints.public_documents import Document, PublicDocuments
from proxy.refusals import NotRegistered

MAX_AGE_S = 300


class ResourceMetadata(PublicDocuments):
    """The ASGI application of `/.well-known/oauth-protected-resource` and everything below it."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    async def document(self, scope: Scope) -> Document:
        """The document of the resource that the path names.

        Raises:
            NotRegistered: there is no such resource.
        """
        found = self._document(scope["path"].removeprefix(METADATA_PATH))
        if found is None:
            raise NotRegistered
        return Document("application/json", json.dumps(found).encode(), max_age_s=MAX_AGE_S)

    def _document(self, path: str) -> dict[str, object] | None:
        snapshot = self._watcher.snapshot
        if path in {"", "/"}:
            own = [settings.PUBLIC_BASE_URL]
            return _describe(settings.PUBLIC_BASE_URL, sorted(snapshot.enabled_scopes), "Gatehouse", own)
        backend = snapshot.resource_at(path)
        if backend is None or not backend.takes_tokens:
            return None
        scopes = [scope for scope in backend.scopes if scope in snapshot.enabled_scopes]
        return _describe(backend.resource, scopes, backend.title, _servers(backend, snapshot))


def _servers(backend: BackendPlan | ServerPlan, snapshot: Snapshot) -> list[str]:
    """Who issues tokens for `backend` (RFC 9728 section 2): first whoever most of it asks for."""
    own = [settings.PUBLIC_BASE_URL] if AuthMode.OAUTH in backend.modes else []
    others = sorted(snapshot.issuers) if AuthMode.ISSUER in backend.modes else []
    return others + own if backend.auth_mode == AuthMode.ISSUER else own + others


def _describe(resource: str, scopes: list[str], name: str, servers: list[str]) -> dict[str, object]:
    # Who a person is, and how long a client stays connected, is the authorization server's business and no API's
    own = [scope for scope in scopes if scope not in OPENID_SCOPES]
    lists = {"authorization_servers": servers, "bearer_methods_supported": ["header"], "scopes_supported": own}
    # An empty list is left out (section 3.2)
    return {"resource": resource, "resource_name": name} | {name: found for name, found in lists.items() if found}
