"""The OpenAPI 3.1 document that is pasted into the GPT editor, or fetched by it.

What ChatGPT would refuse is refused here first, in words that say which operation and what to change.
"""

from typing import Any, Final

from django.conf import settings

from oauth_provider.endpoints import oauth_root
from proxy.catalogue.actions import limits
from proxy.catalogue.actions.api import Action, Api
from proxy.catalogue.actions.embedding import Components, NotEmbeddable
from proxy.catalogue.actions.limits import OPERATIONS_MAX, Fault, NotWithinLimits
from proxy.catalogue.media_types import JSON
from proxy.catalogue.paths import TAIL
from proxy.catalogue.tools import JsonObject

OPENAPI: Final = "3.1.0"
SECURITY: Final = "oauth"
PROBLEM: Final = "Problem"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_PROBLEM_SCHEMA: Final[JsonObject] = {
    "type": "object",
    "description": "Why a call was refused, and by which rule (RFC 9457)",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "error": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
# Any object: the editor wants to see properties, even none
_ANY_OBJECT: Final[JsonObject] = {"type": "object", "properties": {}, "additionalProperties": True}


def actions_document(api: Api, *, scopes: frozenset[str] | None = None) -> JsonObject:
    """The document of `api` for a client that may ask for `scopes`; None: for one that may ask for all.

    Raises:
        NotWithinLimits: ChatGPT would not take it.
    """
    actions = api.within(scopes)
    number = sum(len(action.methods) for action in actions)
    if not 0 < number <= OPERATIONS_MAX:
        raise NotWithinLimits([limits.number_fault(number)])
    draft = _Draft()
    for action in actions:
        draft.add(action)
    if draft.faults:
        raise NotWithinLimits(draft.faults)
    named = sorted({scope for action in actions for scopes in action.enough for scope in scopes})
    return {
        "openapi": OPENAPI,
        "info": {"title": api.title, "version": "1"},
        "servers": [{"url": f"{settings.PUBLIC_BASE_URL}{api.prefix}"}],
        "paths": draft.paths,
        "components": {
            "schemas": {**draft.components.schemas, PROBLEM: _PROBLEM_SCHEMA},
            "securitySchemes": {SECURITY: _security(api, named)},
        },
    }


def _security(api: Api, scopes: list[str]) -> JsonObject:
    root = oauth_root(api.prefix)
    flow = {
        "authorizationUrl": f"{root}/authorize",
        "tokenUrl": f"{root}/token",
        "scopes": {name: api.scope_titles.get(name, name) for name in scopes},
    }
    return {"type": "oauth2", "flows": {"authorizationCode": flow}}


class _Draft:
    """A document while it is made."""

    def __init__(self) -> None:
        self.paths: dict[str, JsonObject] = {}
        self.components = Components()
        self.faults: list[Fault] = []
        self._names: set[str] = {PROBLEM}
        self._keys: dict[tuple[str | None, ...], str] = {}

    def add(self, action: Action) -> None:
        """Every method of an operation."""
        if action.path == "/":
            self._note(limits.root_fault(action.operation_id))
            return
        self._note(limits.text_fault(action.operation_id, action.description))
        key, renamed = self._key(action.path)
        for method in action.methods:
            name = action.operation_id if len(action.methods) == 1 else f"{action.operation_id}_{method.lower()}"
            self._note(limits.name_fault(action.operation_id, name, taken=name in self._names))
            self._names.add(name)
            try:
                self.paths.setdefault(key, {})[method.lower()] = self._operation(action, method, name, renamed)
            except NotEmbeddable as fault:
                self._note(limits.schema_fault(action.operation_id, str(fault)))

    def _note(self, fault: Fault | None) -> None:
        if fault is not None and fault not in self.faults:
            self.faults.append(fault)

    def _key(self, path: str) -> tuple[str, dict[str, str]]:
        """The path as OpenAPI writes it, and the names its parameters have there.

        A tail becomes one parameter, because OpenAPI has none that spans segments. Two paths that differ in the names
        of their parameters only are one (OpenAPI 3.1 section 4.8.8.1).
        """
        parts = path[1:].split("/")
        named = [part[1:-1] if part.startswith("{") else None for part in parts]
        if parts[-1] == TAIL:
            named[-1] = next(name for name in ("path", "path_", "path__") if name not in named)
        shape = tuple(None if name else part for part, name in zip(parts, named, strict=True))
        written = "/" + "/".join(f"{{{name}}}" if name else part for part, name in zip(parts, named, strict=True))
        key = self._keys.setdefault(shape, written)
        there = [part[1:-1] for part in key[1:].split("/") if part.startswith("{")]
        return key, dict(zip([name for name in named if name], there, strict=True))

    def _operation(self, action: Action, method: str, name: str, renamed: dict[str, str]) -> JsonObject:
        operation: JsonObject = {
            "operationId": name,
            "summary": action.title or action.operation_id,
            "security": [{SECURITY: scopes} for scopes in action.enough],
            "x-openai-isConsequential": action.consequential,
        }
        if action.description:
            operation["description"] = action.description
        if parameters := self._parameters(action, name, renamed):
            operation["parameters"] = parameters
        if method in _WITH_BODY:
            operation["requestBody"] = self._body(action, name)
        return operation | {"responses": self._responses(action, method, name)}

    def _parameters(self, action: Action, name: str, renamed: dict[str, str]) -> list[JsonObject]:
        given = {parameter["name"]: parameter for parameter in action.parameters}
        written = [
            {**self._parameter(action, name, given.pop(own, {}), there), "in": "path", "required": True}
            for own, there in renamed.items()
        ]
        for parameter in given.values():
            if parameter["in"] == "header":
                if parameter.get("required"):
                    self._note(limits.header_fault(action.operation_id, parameter["name"]))
                continue
            described = self._parameter(action, name, parameter, parameter["name"])
            written.append({**described, "in": parameter["in"], "required": bool(parameter.get("required"))})
        return written

    def _parameter(self, action: Action, name: str, given: JsonObject, there: str) -> JsonObject:
        words = given.get("description")
        self._note(limits.parameter_fault(action.operation_id, there, words))
        schema = self.components.embed(given.get("schema", {"type": "string"}), name=f"{name}_{_slug(there)}")
        return {"name": there, **({"description": words} if words else {}), "schema": schema}

    def _body(self, action: Action, name: str) -> JsonObject:
        schema, kind = action.request_schema, action.request_type or JSON
        if schema is None:
            return {"content": {kind: {"schema": _ANY_OBJECT}}}
        properties: Any = schema.get("properties")
        for each, described in properties.items() if isinstance(properties, dict) else ():
            if isinstance(described, dict):
                self._note(limits.parameter_fault(action.operation_id, each, described.get("description")))
        embedded = self.components.embed(schema, name=f"{name}_body")
        return {"required": True, "content": {kind: {"schema": embedded}}}

    def _responses(self, action: Action, method: str, name: str) -> JsonObject:
        done: JsonObject = {"description": "Done"}
        if action.response_schema is not None:
            schema = self.components.embed(action.response_schema, name=f"{name}_answer")
            done["content"] = {JSON: {"schema": schema}}
        refused = {
            "description": "Refused, or an error of the service",
            "content": {"application/problem+json": {"schema": {"$ref": f"#/components/schemas/{PROBLEM}"}}, JSON: {}},
        }
        codes = ("200", "201") if method == "POST" else ("200",)
        return dict.fromkeys(codes, done) | {"default": refused}


def _slug(name: str) -> str:
    # Names of components: OpenAPI 3.1 section 4.8.7
    return "".join(character if character.isascii() and character.isalnum() else "_" for character in name)
