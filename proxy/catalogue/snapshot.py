"""The picture of the catalogue that the data plane works from: frozen, complete, with everything precomputed."""

import ssl
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.conf import settings
from jsonschema_rs import ReferencingError

from oauth_provider.keys.encryption import Undecipherable
from oauth_provider.keys.signing import LoadedKey, signing_keys
from oauth_provider.scopes.models import Scope
from proxy.catalogue.actions.api import Api, actions_of
from proxy.catalogue.addresses import parse_upstream_url
from proxy.catalogue.credentials import ClientCredentials, QueryCredential, header_of, opened
from proxy.catalogue.issuer_plan import Issuers, ReadIssuers, no_issuers
from proxy.catalogue.matching import DISABLED, NOTHING, Disabled, Found, Matcher, Nothing, OtherMethods
from proxy.catalogue.mcp_backends.compile import Opened, read_facts, with_features
from proxy.catalogue.models import AuthMode, Backend, BackendKind, Operation, is_text_list
from proxy.catalogue.needs import alternatives
from proxy.catalogue.parameters import parameter
from proxy.catalogue.paths import CanonicalPath, Template, compile_prefix, compile_template, other_slash
from proxy.catalogue.plans import METADATA_PATH, BackendPlan, McpFacts, OperationPlan, ServerPlan, ToolPlan
from proxy.catalogue.rpc_methods import by_path
from proxy.catalogue.servers.compile import server_plans
from proxy.catalogue.tls import BadPem, tls_context
from proxy.catalogue.tools import tool_of, tool_row
from proxy.catalogue.ui_resources.compile import shown_pages

LISTS = ("methods", "scopes", "any_scopes")
log = structlog.get_logger(__name__)


class NotAList(TypeError):
    """A row holds something else where a list of texts belongs."""


# Whatever a row holds that no form would have let through
UNUSABLE = (ValueError, Undecipherable, BadPem, NotAList, ReferencingError)


@dataclass(frozen=True, slots=True)
class Match:
    """Where a path leads: no backend, or one and what it has there. `rest` is what follows the prefix, as sent."""

    backend: BackendPlan | None
    result: Found[OperationPlan] | OtherMethods | Nothing
    rest: str = ""


NO_MATCH = Match(backend=None, result=NOTHING)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every enabled backend under its prefix, at one revision of the catalogue; external issuers by their `iss`."""

    revision: int
    backends: Mapping[str, BackendPlan]
    by_prefix: Mapping[tuple[str, ...], BackendPlan]
    prefix_lengths: tuple[int, ...]
    enabled_scopes: frozenset[str]
    signing_keys: tuple[LoadedKey, ...] = field(repr=False)
    issuers: Issuers = field(default_factory=dict)
    servers: Mapping[str, ServerPlan] = field(default_factory=dict)
    # The words of each enabled scope
    scope_titles: Mapping[str, str] = field(default_factory=dict)
    # Of backends that are disabled or cannot run: no backend with a shorter prefix answers in their place
    closed_prefixes: frozenset[tuple[str, ...]] = frozenset()

    @property
    def signing_key(self) -> LoadedKey | None:
        """The key that signs at this moment: during a rotation the next one is here before its time."""
        now = time.time()
        return next((key for key in self.signing_keys if key.signs_from <= now), None)

    def match(self, method: str, path: CanonicalPath) -> Match:
        """The backend with the longest prefix of `path`, and its operation for `method`.

        Prefixes are matched decoded, as backends will read them: no encoding leads around one that is longer or
        disabled. One that was sent encoded leads nowhere, and so does what leads elsewhere once it is decoded again.
        """
        match = self._match(method, path, path.segments)
        if path.deepest is not None and self._match(method, path, path.deepest) != match:
            return NO_MATCH
        return match

    def _match(self, method: str, path: CanonicalPath, segments: tuple[str, ...]) -> Match:
        length, backend = self._longest(segments)
        if backend is None or path.raw_segments[:length] != segments[:length]:
            return NO_MATCH
        rest = path.raw[len(backend.prefix) :]
        return Match(backend, backend.matcher.match(method, segments[length:]), rest)

    def backend_at(self, path: str) -> BackendPlan | None:
        """The backend with the longest prefix of `path`, if `path` is one that everybody reads the same way."""
        return self._longest(tuple(path[1:].split("/")))[1]

    def _longest(self, segments: tuple[str, ...]) -> tuple[int, BackendPlan | None]:
        for length in self.prefix_lengths:
            prefix = segments[:length]
            backend = self.by_prefix.get(prefix)
            if backend is not None:
                return length, backend
            if prefix in self.closed_prefixes:
                break
        return 0, None

    def api(self, backend: BackendPlan) -> Api:
        """What the OpenAPI document of `backend` is made from."""
        return Api(backend.title, backend.prefix, backend.actions, self.scope_titles)

    def resource_at(self, path: str) -> BackendPlan | ServerPlan | None:
        """The backend or the MCP server whose resource path is exactly `path`."""
        return self.by_prefix.get(tuple(path[1:].split("/"))) or self.servers.get(path)


EMPTY = Snapshot(revision=-1, backends={}, by_prefix={}, prefix_lengths=(), enabled_scopes=frozenset(), signing_keys=())


def build(*, revision: int, read_issuers: ReadIssuers = no_issuers) -> Snapshot:
    """Read the catalogue in seven statements (ten with MCP backends), and the issuers in one more, and compile it.

    A backend that cannot run is left out, and logged; it goes whole, because without one of its operations a wider
    one might answer in its place. For the same reason what is disabled keeps its place, and answers nothing there.
    """
    operations = _read_operations()
    scopes = dict(Scope.objects.filter(enabled=True).values_list("name", "title"))
    everything: list[dict[str, Any]] = [{**row} for row in Backend.objects.values()]
    rows = [row for row in everything if row["enabled"]]
    facts = read_facts(rows)
    plans: dict[str, BackendPlan] = {}
    by_prefix: dict[tuple[str, ...], BackendPlan] = {}
    opened: list[Opened] = []
    for row in rows:
        own = operations[row["id"]]
        try:
            plan = _backend_plan(row, own, facts.get(row["id"]))
            if plan.kind == BackendKind.MCP:
                opened.append(_opened(row, plan, own))
            else:
                by_prefix[compile_prefix(plan.prefix)] = plan
            plans[plan.name] = plan
        except UNUSABLE:
            log.exception("backend_left_out", backend=row["name"])
    closed = {tuple(row["prefix"][1:].split("/")) for row in everything} - by_prefix.keys()
    return Snapshot(
        revision=revision,
        backends=plans,
        by_prefix=by_prefix,
        prefix_lengths=tuple(sorted({len(prefix) for prefix in {*by_prefix, *closed}}, reverse=True)),
        enabled_scopes=frozenset(scopes),
        signing_keys=_signing_keys(),
        issuers=read_issuers(),
        servers=with_features(server_plans(plans.values()), opened),
        scope_titles=scopes,
        closed_prefixes=frozenset(closed),
    )


def _read_operations() -> defaultdict[int, list[dict[str, Any]]]:
    """Those of enabled backends, disabled ones too, by backend."""
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    pages = shown_pages()
    for operation in Operation.objects.filter(backend__enabled=True).order_by("id").values():
        found[operation["backend_id"]].append({**operation, "page": pages.get(operation["ui_resource_id"])})
    return found


def _enabled(operations: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [operation for operation in operations if operation["enabled"]]


def _signing_keys() -> tuple[LoadedKey, ...]:
    try:
        return signing_keys()
    except Undecipherable:
        # Only calls that assert somebody need it; the others go on, and readiness says so
        log.exception("signing_key_not_opened")
        return ()


def plan_without_operations(backend_id: int) -> BackendPlan:
    """A backend as calls reach it, for whoever asks it something itself.

    Raises:
        one of UNUSABLE: it cannot be called as it is stored.
    """
    return _backend_plan({**Backend.objects.values().get(pk=backend_id)}, [], None)


def _opened(row: dict[str, Any], plan: BackendPlan, operations: list[dict[str, Any]]) -> Opened:
    """With what is disabled in its place, so that no `*` opens it."""
    places: dict[tuple[str, str], OperationPlan | None] = {}
    for each in operations:
        operation = _operation_plan(row, each)
        usable = each["enabled"] and operation.auth_mode == AuthMode.OAUTH
        places[each["feature"], each["feature_name"]] = operation if usable else None
    return Opened(row["id"], plan, places)


def _backend_plan(row: dict[str, Any], everything: list[dict[str, Any]], facts: McpFacts | None) -> BackendPlan:
    issuer, operations = settings.PUBLIC_BASE_URL, _enabled(everything)
    base, credential = parse_upstream_url(row["upstream_url"], own_origin=issuer), opened(row["credential_sealed"])
    _check_lists([row["identity_headers"], *(each[name] for each in everything for name in LISTS)])
    # Those of an MCP backend name no path
    addressed = [] if row["kind"] == BackendKind.MCP else operations
    compiled = [(operation, _operation_plan(row, operation)) for operation in addressed]
    return BackendPlan(
        name=row["name"],
        title=row["name"],
        prefix=row["prefix"],
        upstream_url=row["upstream_url"],
        base=base,
        auth_mode=row["auth_mode"],
        allow_private=row["allow_private"],
        timeout_s=row["timeout_ms"] / 1000,
        connect_timeout_s=row["connect_timeout_ms"] / 1000,
        max_request_bytes=row["max_request_bytes"],
        max_concurrency=row["max_concurrency"],
        identity_headers=tuple(row["identity_headers"]),
        credential=header_of(credential),
        resource=f"{issuer}{row['prefix']}",
        resource_metadata=f"{issuer}{METADATA_PATH}{row['prefix']}",
        scopes=tuple(sorted({scope for each in operations for scope in (*each["scopes"], *each["any_scopes"])})),
        modes=frozenset({row["auth_mode"], *(each["auth_mode"] or row["auth_mode"] for each in operations)}),
        matcher=Matcher([*_entries(row, compiled), *_closed(everything)]),
        tools=tuple(_tools(row, compiled)),
        actions=actions_of(addressed, backend_mode=row["auth_mode"]),
        credential_parameter=(
            parameter(credential.name, credential.value) if isinstance(credential, QueryCredential) else ""
        ),
        client_credentials=credential if isinstance(credential, ClientCredentials) else None,
        identity_query=row["identity_query"],
        tls=_tls(row) if base.scheme == "https" else None,
        kind=row["kind"],
        mcp=facts,
        max_response_bytes=row["max_response_bytes"],
    )


def _tls(row: dict[str, Any]) -> ssl.SSLContext:
    return tls_context(
        ca=row["tls_ca"], certificate=row["tls_client_certificate"], key_sealed=row["tls_client_key_sealed"]
    )


def _check_lists(values: list[object]) -> None:
    # Without the form's check: {} would need no scope at all
    if not all(map(is_text_list, values)):
        raise NotAList


def _operation_plan(row: dict[str, Any], operation: dict[str, Any]) -> OperationPlan:
    return OperationPlan(
        operation_id=operation["operation_id"],
        template=row["prefix"] + ("" if operation["path"] == "/" else operation["path"]),
        auth_mode=operation["auth_mode"] or row["auth_mode"],
        scopes=tuple(sorted(alternatives(operation["scopes"], operation["any_scopes"])[0])),
        scope_set=frozenset(operation["scopes"]),
        any_of=(tuple(operation["any_scopes"]),) if operation["any_scopes"] else (),
        cost=operation["cost"],
        max_request_bytes=(
            row["max_request_bytes"] if operation["max_request_bytes"] is None else operation["max_request_bytes"]
        ),
        idempotent=operation["idempotent"],
    )


def _entries(
    row: dict[str, Any], compiled: list[tuple[dict[str, Any], OperationPlan]]
) -> Iterator[tuple[str, Template, OperationPlan]]:
    for path, positions in by_path([operation for operation, _plan in compiled]):
        named = [compiled[position] for position in positions]
        yield "POST", compile_template(path), _rpc_plan(row, named)
    for operation, plan in compiled:
        if not operation["rpc_method"]:
            template = compile_template(operation["path"])
            yield from ((method, template, plan) for method in operation["methods"])


def _closed(operations: list[dict[str, Any]]) -> Iterator[tuple[str, Template, Disabled]]:
    """The places of what is disabled; and what a backend may take for the one path at which bodies name methods."""
    for operation in operations:
        if not operation["enabled"] or operation["rpc_method"]:
            template = compile_template(operation["path"])
            for place in (template, *other_slash(template)):
                yield from ((method, place, DISABLED) for method in operation["methods"])


def _rpc_plan(row: dict[str, Any], named: list[tuple[dict[str, Any], OperationPlan]]) -> OperationPlan:
    """All methods at one path. Whoever calls is identified before the body says which one it is."""
    usable = {
        operation["rpc_method"]: plan
        for operation, plan in named
        # Staff may have changed how callers are known since: such a method answers nobody
        if plan.auth_mode == row["auth_mode"]
    }
    scopes = tuple(sorted({scope for plan in usable.values() for scope in plan.scopes}))
    return OperationPlan(
        operation_id="",
        template=named[0][1].template,
        auth_mode=row["auth_mode"],
        scopes=scopes,
        scope_set=frozenset(scopes),
        max_request_bytes=max((plan.max_request_bytes for plan in usable.values()), default=0),
        by_rpc_method=usable,
    )


def _tools(row: dict[str, Any], compiled: list[tuple[dict[str, Any], OperationPlan]]) -> Iterator[ToolPlan]:
    """Whoever calls a tool shows an access token, so that only operations that take one can be tools."""
    for operation, plan in compiled:
        if operation["tool_name"] and plan.auth_mode == AuthMode.OAUTH:
            page = operation["page"]
            tool = tool_of(tool_row(operation), page=page.uri if page else "")
            yield ToolPlan(tool=tool, operation=plan, prefix=row["prefix"], page=page)
