"""`<prefix>/openapi.json` and `.yaml`: what a GPT may do at a backend, for whoever builds the GPT."""

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import parse_qs

import yaml
from django.db import connection

from oauth_provider.clients.allowed import allowed_scopes
from proxy.catalogue.actions.api import Api
from proxy.catalogue.actions.document import actions_document
from proxy.catalogue.actions.limits import NotWithinLimits
from proxy.catalogue.models import AuthMode
from proxy.catalogue.paths import DOCUMENT_PATHS
from proxy.catalogue.plans import BackendPlan
from proxy.catalogue.snapshot import EMPTY, Snapshot
from proxy.catalogue.watch import Watcher
from proxy.entrypoints.asgi_types import Scope
from proxy.entrypoints.public_documents import Document, PublicDocuments
from proxy.refusals import BadRequest, NoDocument, NotRegistered, UnreadablePath

# Long enough for whoever reads it many times at once, short enough for whoever corrects a description meanwhile
MAX_AGE_S = 60
# Each for another choice of scopes; clients with the same share one
KEPT_MAX = 256
QUERY_MAX = 2048
# Anybody may name a client, so that few may be looked up at the same time
LOOKUPS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class _Rendered:
    json: bytes = b""
    yaml: bytes = b""
    faults: tuple[tuple[str, str], ...] = ()


class OpenApiDocuments(PublicDocuments):
    """Each document is made once for a revision of the catalogue, when it is first asked for."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._of: Snapshot = EMPTY
        self._made: dict[tuple[str, frozenset[str] | None], _Rendered] = {}
        self._making = asyncio.Lock()
        self._lookups = asyncio.Semaphore(LOOKUPS_AT_ONCE)

    def answers(self, path: str) -> bool:
        """Whether `path` is one of ours: exactly below the prefix of a backend that takes our tokens."""
        return path.endswith(DOCUMENT_PATHS) and self._backend(self._watcher.snapshot, path) is not None

    async def document(self, scope: Scope) -> Document:
        """The document of the path's backend, for the client the query names or for one that may do all.

        Raises:
            BadRequest: client_id is there twice.
            NotRegistered: there is no such client.
            NoDocument: ChatGPT would not take it.
        """
        path, snapshot = scope["path"], self._watcher.snapshot
        if scope["raw_path"] != path.encode():
            raise UnreadablePath
        scopes = await self._scopes(scope["query_string"])
        backend = self._backend(snapshot, path)
        if backend is None:
            raise NotRegistered
        rendered = await self._rendered(snapshot, backend, scopes)
        if rendered.faults:
            raise NoDocument([{"operation": name, "detail": words} for name, words in rendered.faults])
        if path.endswith(".json"):
            return Document("application/json", rendered.json, max_age_s=MAX_AGE_S)
        return Document("application/yaml", rendered.yaml, max_age_s=MAX_AGE_S)

    def _backend(self, snapshot: Snapshot, path: str) -> BackendPlan | None:
        backend = snapshot.by_prefix.get(tuple(path[1:].split("/")[:-1]))
        return backend if backend is not None and AuthMode.OAUTH in backend.modes else None

    async def _scopes(self, query: bytes) -> frozenset[str] | None:
        if len(query) > QUERY_MAX:
            raise BadRequest("The query is too long.")
        named = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("client_id", [])
        if len(named) > 1:
            raise BadRequest("client_id is there more than once.")
        if not named:
            return None
        async with self._lookups:
            found = await asyncio.to_thread(_looked_up, named[0])
        if found is None:
            raise NotRegistered("No client that may be used has this client_id.")
        return found

    async def _rendered(self, snapshot: Snapshot, backend: BackendPlan, scopes: frozenset[str] | None) -> _Rendered:
        key = (backend.name, None if scopes is None else scopes & frozenset(backend.scopes))
        async with self._making:
            if self._of is not snapshot or len(self._made) >= KEPT_MAX:
                self._of, self._made = snapshot, {}
            if key not in self._made:
                self._made[key] = await asyncio.to_thread(_render, snapshot.api(backend), key[1])
            return self._made[key]


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the library's signature
        """Readers of OpenAPI do not all know YAML's anchors."""
        return True


def _render(api: Api, scopes: frozenset[str] | None) -> _Rendered:
    try:
        document = actions_document(api, scopes=scopes)
    except NotWithinLimits as fault:
        return _Rendered(faults=tuple((each.operation, each.words) for each in fault.faults))
    written = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return _Rendered(json=json.dumps(document, ensure_ascii=False, indent=2).encode(), yaml=written.encode())


def _looked_up(client_id: str) -> frozenset[str] | None:
    try:
        return allowed_scopes(client_id)
    finally:
        connection.close()
