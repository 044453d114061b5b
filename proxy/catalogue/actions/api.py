"""What of a backend goes into its document: the operations that take this server's tokens."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proxy.catalogue.models import AuthMode, Backend
from proxy.catalogue.needs import alternatives
from proxy.catalogue.tools import JsonObject

COLUMNS = ("operation_id", "title", "description", "methods", "path", "scopes", "any_scopes", "parameters",
           "request_schema", "request_type", "response_schema", "consequential")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """An operation that takes an access token of this server."""

    operation_id: str
    title: str
    description: str
    methods: tuple[str, ...]
    path: str
    scopes: tuple[str, ...]
    any_scopes: tuple[str, ...]
    parameters: Sequence[JsonObject]
    request_schema: JsonObject | None
    request_type: str
    response_schema: JsonObject | None
    consequential: bool

    @property
    def enough(self) -> list[list[str]]:
        """Each list of scopes with which it may be called."""
        return alternatives(self.scopes, self.any_scopes)


@dataclass(frozen=True, slots=True, eq=False)
class Api:
    """A backend as its document shows it; `scope_titles` are the enabled scopes with their words."""

    title: str
    prefix: str
    actions: Sequence[Action]
    scope_titles: Mapping[str, str]

    def within(self, scopes: frozenset[str] | None) -> list[Action]:
        """The operations that somebody with `scopes` may call; None: with every scope that is enabled."""
        held = frozenset(self.scope_titles) if scopes is None else scopes & frozenset(self.scope_titles)
        return [action for action in self.actions if any(map(held.issuperset, action.enough))]


def actions_of(rows: Iterable[Mapping[str, Any]], *, backend_mode: str) -> tuple[Action, ...]:
    """The actions among enabled operations, which come as rows of their columns."""
    return tuple(_action(row) for row in rows if _is_action(row, backend_mode))


def api_of(backend: Backend, *, scope_titles: Mapping[str, str]) -> Api:
    """The same from the database, as staff see it."""
    rows = backend.operations.filter(enabled=True).order_by("id").values("auth_mode", "rpc_method", *COLUMNS)
    actions = actions_of(rows, backend_mode=backend.auth_mode)
    return Api(title=backend.name, prefix=backend.prefix, actions=actions, scope_titles=scope_titles)


def _is_action(row: Mapping[str, Any], backend_mode: str) -> bool:
    # Of a JSON-RPC backend an action could not say which method it calls
    return (row["auth_mode"] or backend_mode) == AuthMode.OAUTH and not row["rpc_method"]


def _action(row: Mapping[str, Any]) -> Action:
    facts = {name: row[name] for name in COLUMNS}
    lists = {name: tuple(facts[name]) for name in ("methods", "scopes", "any_scopes", "parameters")}
    return Action(**(facts | lists))
