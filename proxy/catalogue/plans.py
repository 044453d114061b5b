"""What the data plane knows of backends, operations, tools and MCP servers: frozen, with everything precomputed."""

import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import jsonschema_rs

from proxy.catalogue.actions.api import Action
from proxy.catalogue.addresses import UpstreamBase
from proxy.catalogue.credentials import ClientCredentials
from proxy.catalogue.header_names import folded
from proxy.catalogue.matching import Matcher
from proxy.catalogue.models import AuthMode, BackendKind
from proxy.catalogue.needs import alternatives, in_words
from proxy.catalogue.parameters import folded_parameter
from proxy.catalogue.schemas import validator
from proxy.catalogue.tls import tls_context
from proxy.catalogue.tools import JsonObject, Tool

METADATA_PATH = "/.well-known/oauth-protected-resource"
MCP_PATH = "/mcp"
# Sets of scopes for which a server keeps what may be seen with them
SEEN_MAX = 64
# Some clients ask for more permissions only when they are told in words (OpenAI's, for one)
_DESCRIBED = {"insufficient_scope": "The access token lacks a permission that this operation needs"}


@dataclass(frozen=True, slots=True)
class McpFacts:
    """What an MCP backend said of itself when it was last asked; `capabilities` are those of its server."""

    protocol_version: str
    capabilities: JsonObject = field(repr=False)
    instructions: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class BackendPlan:
    """A backend as the data plane knows it. `resource` is its audience; its credential was opened once, for all calls.

    `credential` is the header that carries it, `credential_parameter` the parameter as it is appended to a query,
    `client_credentials` what a token is fetched with.
    """

    name: str
    title: str
    prefix: str
    upstream_url: str
    base: UpstreamBase
    auth_mode: str
    allow_private: bool
    timeout_s: float
    connect_timeout_s: float
    max_request_bytes: int
    max_concurrency: int
    identity_headers: tuple[str, ...]
    credential: tuple[str, str] | None = field(repr=False)
    resource: str
    resource_metadata: str
    scopes: tuple[str, ...]
    modes: frozenset[str]
    matcher: "Matcher[OperationPlan]" = field(repr=False)
    credential_parameter: str = field(default="", repr=False)
    client_credentials: ClientCredentials | None = None
    identity_query: str = ""
    tools: "tuple[ToolPlan, ...]" = field(repr=False, default=())
    actions: tuple[Action, ...] = field(repr=False, default=())
    # Of a backend that is called by https; never None there
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    kind: str = BackendKind.REST
    # Of kind mcp; None until it has been asked
    mcp: McpFacts | None = None
    # None: an answer may be of any length
    max_response_bytes: int | None = None
    # Of its places, how many one person may have: half, and one at least
    places_of_one: int = field(init=False)
    # What a connection must have been made with to be used again
    way: tuple[object, ...] = field(init=False, repr=False)
    # Folded names that are the gateway's alone here
    own_headers: frozenset[str] = field(init=False)
    own_parameters: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        header = self.credential[0] if self.credential else "authorization" if self.client_credentials else ""
        named = (*self.identity_headers, *((header,) if header else ()))
        if self.tls is None and self.base.scheme == "https":
            object.__setattr__(self, "tls", tls_context())
        object.__setattr__(self, "places_of_one", max(1, self.max_concurrency // 2))
        shown = (self.tls, self.credential, self.credential_parameter, self.client_credentials)
        object.__setattr__(self, "way", (self.base, self.allow_private, *shown))
        parameters = (self.identity_query, self.credential_parameter.partition("=")[0])
        object.__setattr__(self, "own_headers", frozenset(map(folded, named)))
        object.__setattr__(self, "own_parameters", frozenset(folded_parameter(name) for name in parameters if name))

    @property
    def takes_tokens(self) -> bool:
        """Whether some of it asks for a bearer token, ours or an external issuer's."""
        return not self.modes.isdisjoint({AuthMode.OAUTH, AuthMode.ISSUER})

    def challenge(self, scopes: tuple[str, ...], error: str = "") -> str:
        """The value of WWW-Authenticate (RFC 6750 section 3, RFC 9728 section 5.1)."""
        return bearer_challenge(self.resource_metadata, scopes, error)


@lru_cache(maxsize=4096)
def bearer_challenge(resource_metadata: str, scopes: tuple[str, ...] = (), error: str = "") -> str:
    """The value of WWW-Authenticate; `resource_metadata` is the URL of the resource's document."""
    parts = [f'resource_metadata="{resource_metadata}"']
    parts += [f'scope="{" ".join(scopes)}"'] if scopes else []
    parts += [f'error="{error}"'] if error else []
    parts += [f'error_description="{_DESCRIBED[error]}"'] if error in _DESCRIBED else []
    return "Bearer " + ", ".join(parts)


@dataclass(frozen=True, slots=True, eq=False)
class OperationPlan:
    """An operation as the data plane knows it. `template` is the whole public path, for the ledger.

    Its caller needs all of `scope_set` and one of each of `any_of`; `scopes` is what a challenge tells a client to ask
    for, which is enough, and `needs` all of it as the ledger says it. `cost`: of an allowance, for one call.
    `idempotent`: staff say that the same call twice does no harm. `by_rpc_method`: the body names the method, and with
    it the operation; `messages` are then those of the body, one for each message of it.
    """

    operation_id: str
    template: str
    auth_mode: str
    scopes: tuple[str, ...]
    scope_set: frozenset[str]
    max_request_bytes: int
    idempotent: bool = False
    by_rpc_method: "Mapping[str, OperationPlan] | None" = field(default=None, repr=False)
    messages: "tuple[OperationPlan, ...]" = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    cost: int = 1
    needs: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", in_words(sorted(self.scope_set), self.any_of))

    @property
    def enough_scopes(self) -> list[list[str]]:
        """Each list of scopes that is enough for its caller."""
        found = [sorted(self.scope_set)]
        for choice in self.any_of:
            found = [each for needed in found for each in alternatives(needed, choice)]
        return found

    @property
    def named_scopes(self) -> frozenset[str]:
        """Every scope that it needs, or is one of a choice."""
        return self.scope_set.union(*self.any_of)

    def admits(self, held: frozenset[str]) -> bool:
        """Whether the scopes `held` are enough."""
        return self.scope_set <= held and (not self.any_of or all(map(held.intersection, self.any_of)))


@dataclass(frozen=True, slots=True, eq=False)
class OwnResource:
    """A resource that the gateway keeps itself, for whoever may call the server.

    `definition` is what `resources/list` shows of it, `contents` the one entry that `resources/read` returns.
    """

    uri: str
    definition: JsonObject = field(repr=False)
    contents: JsonObject = field(repr=False)

    @property
    def name(self) -> str:
        """Its place among those of MCP backends."""
        return self.uri

    @property
    def written(self) -> str:
        """What a list shows of it, as JSON."""
        return _written(self.definition)


@dataclass(frozen=True, slots=True, eq=False)
class ToolPlan:
    """An operation as AI clients call it by name, and the page they show with its result."""

    tool: Tool
    operation: OperationPlan
    prefix: str
    page: OwnResource | None = None

    @property
    def name(self) -> str:
        """What clients call it by."""
        return self.tool.row.name

    @property
    def written(self) -> str:
        """What a list shows of it, as JSON."""
        return self.tool.written


@dataclass(frozen=True, eq=False)
class FeaturePlan:
    """A tool, prompt, resource or resource template of an MCP backend, as staff approved it.

    `feature` is tool, prompt, resource or resource_template. `name` is what clients call it by at this server: the
    name of a tool or prompt, the URI of a resource, the URI template of a template; `upstream_name` what its backend
    calls it. `definition` is what the list shows of it, with `name`.
    """

    feature: str
    name: str
    upstream_name: str
    definition: JsonObject = field(repr=False)
    operation: OperationPlan
    backend: str

    @cached_property
    def input_validator(self) -> jsonschema_rs.Draft202012Validator:
        """Checks the arguments of a tool."""
        return validator(self.definition.get("inputSchema", {"type": "object"}))

    @cached_property
    def output_validator(self) -> jsonschema_rs.Draft202012Validator | None:
        """Checks the structured results of a tool, where there is a schema."""
        schema = self.definition.get("outputSchema")
        return validator(schema) if schema is not None else None

    @cached_property
    def written(self) -> str:
        """What a list shows of it, as JSON."""
        return _written(self.definition)


@dataclass(frozen=True, slots=True, eq=False)
class ServerPlan:
    """An MCP server: a protected resource of its own with a choice of tools, by name in their order.

    `features` are those of MCP backends, by kind of feature and name, in the order of their names; resource templates
    in that of their backends, the one registered first before. `closed_uris` are the resources that no template opens,
    each with its backend before, without escapes. `backend` names the one MCP backend this server stands for, "" for a
    choice of several.
    """

    path: str
    title: str
    instructions: str
    tools: Mapping[str, ToolPlan] = field(repr=False)
    resource: str
    resource_metadata: str
    scopes: tuple[str, ...]
    features: Mapping[str, Mapping[str, FeaturePlan]] = field(default_factory=dict, repr=False)
    own_resources: Mapping[str, OwnResource] = field(default_factory=dict, repr=False)
    closed_uris: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    backend: str = ""

    auth_mode: str = AuthMode.OAUTH
    modes: frozenset[str] = frozenset({AuthMode.OAUTH})
    takes_tokens: bool = True
    # What callers may see, by the scopes they hold: worked out once, for as long as this plan stands
    _seen: dict[frozenset[str], Sequence[ToolPlan | FeaturePlan]] = field(default_factory=dict, init=False, repr=False)

    def tools_for(self, held: frozenset[str]) -> "Sequence[ToolPlan | FeaturePlan]":
        """The tools whose permissions are among `held`, in the order of their names."""
        found = self._seen.get(held)
        if found is None:
            both: list[ToolPlan | FeaturePlan] = [*self.tools.values(), *self.features.get("tool", {}).values()]
            usable = (plan for plan in both if plan.operation.admits(held))
            found = tuple(sorted(usable, key=lambda plan: plan.name))
            if len(self._seen) >= SEEN_MAX:
                # Whoever makes up ever new sets of scopes loses no more than others' shortcut
                self._seen.clear()
            self._seen[held] = found
        return found

    @property
    def name(self) -> str:
        """What clients tell it apart by."""
        return self.path.removeprefix(f"{MCP_PATH}/") if self.path != MCP_PATH else "gatehouse"

    def challenge(self, scopes: tuple[str, ...], error: str = "") -> str:
        """The value of WWW-Authenticate, as a backend's."""
        return bearer_challenge(self.resource_metadata, scopes, error)


def _written(definition: JsonObject) -> str:
    return json.dumps(definition, ensure_ascii=False, separators=(",", ":"))
