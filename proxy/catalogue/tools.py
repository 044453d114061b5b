"""An operation as a tool for AI clients: one input schema for everything a call takes, and where each part of it goes.

Compiled when the catalogue changes; a call only looks things up.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from weakref import WeakValueDictionary

import jsonschema_rs

from proxy.catalogue.needs import alternatives
from proxy.catalogue.paths import Template, compile_template
from proxy.catalogue.schema_size import References
from proxy.catalogue.schemas import SCHEMA_MAX_BYTES, validator
from proxy.catalogue.ui_resources.tool_meta import page_meta

JsonObject = dict[str, Any]

SAFE: Final = frozenset({"GET", "HEAD"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
# What keeps the properties of a schema from standing for all of it
_COMPOSED: Final = frozenset({"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "patternProperties"})
_COLUMNS: Final = ("operation_id", "title", "description", "methods", "path", "scopes", "any_scopes", "parameters",
                   "request_schema", "request_type", "response_schema", "annotations", "idempotent")  # fmt: skip
# What references may go by beside where something stands
_NAMED: Final = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor")
_SCALAR: Final = {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an argument goes: `location` is path, tail, query, header, method, body, queries, property or part.

    `queries` is an object of query parameters that nobody described, `property` a property of the JSON body; `part`
    goes nowhere: it says where in a long answer to begin.
    """

    argument: str
    location: str
    wire_name: str


@dataclass(frozen=True, slots=True)
class ToolRow:
    """What of an operation's row makes it a tool."""

    name: str
    operation_id: str
    title: str
    description: str
    methods: tuple[str, ...]
    path: str
    scopes: tuple[str, ...]
    parameters: Sequence[JsonObject]
    request_schema: JsonObject | None
    response_schema: JsonObject | None
    annotations: Mapping[str, bool]
    idempotent: bool = False
    any_scopes: tuple[str, ...] = ()
    # Of the body; "" for application/json
    request_type: str = ""


def tool_row(operation: Mapping[str, Any]) -> ToolRow:
    """Of the row of an operation with a tool name what makes it a tool."""
    facts = {name: operation[name] for name in _COLUMNS}
    lists = {name: tuple(facts[name]) for name in ("methods", "scopes", "any_scopes", "parameters")}
    return ToolRow(name=operation["tool_name"], **(facts | lists))


@dataclass(eq=False)
class Tool:
    """The tool that `row` describes."""

    row: ToolRow
    # URI of what clients show with its result
    page: str = ""
    _used: dict[str, Place] = field(default_factory=dict, init=False, repr=False)
    _properties: JsonObject = field(default_factory=dict, init=False, repr=False)
    _defs: JsonObject = field(default_factory=dict, init=False, repr=False)
    _required: list[str] = field(default_factory=list, init=False, repr=False)
    _open: Any = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        self.template: Template = compile_template(self.row.path)
        self._add_method()
        self._add_parameters()
        self._add_body()
        if self.is_read_only:
            words = "Where a result that was cut said the next part begins; leave it out at first"
            self._add("continue_from", "part", {"type": "string", "description": words})

    @property
    def places(self) -> Sequence[Place]:
        """Where each argument goes."""
        return tuple(self._used.values())

    @property
    def is_read_only(self) -> bool:
        """Whether it changes nothing, by its methods or by the word of staff."""
        return self.row.annotations.get("read_only", set(self.row.methods) <= SAFE)

    @property
    def continuation(self) -> str | None:
        """The argument that says where in a long answer to begin; None where a call is not to be repeated for that."""
        return next((place.argument for place in self._used.values() if place.location == "part"), None)

    @cached_property
    def input_schema(self) -> JsonObject:
        """JSON Schema of the arguments (2020-12); names that it does not know are refused."""
        schema: JsonObject = {"type": "object", "properties": self._properties}
        if self._required:
            schema["required"] = self._required
        return schema | {"additionalProperties": self._open} | ({"$defs": self._defs} if self._defs else {})

    @cached_property
    def output_schema(self) -> JsonObject | None:
        """JSON Schema of the structured result: every revision takes one only for objects."""
        schema = self.row.response_schema
        if schema is None or schema.get("type") != "object":
            return None
        resolved = _resolved(schema)
        # One that contains itself refers to itself from the root, where it stands already
        return schema if resolved is None else resolved

    @cached_property
    def input_validator(self) -> jsonschema_rs.Draft202012Validator:
        """Checks arguments."""
        return validator(self.input_schema)

    @cached_property
    def output_validator(self) -> jsonschema_rs.Draft202012Validator | None:
        """Checks structured results, where there is a schema."""
        return validator(self.output_schema) if self.output_schema is not None else None

    @cached_property
    def written(self) -> str:
        """The descriptor as JSON: a list of tools is put together from these."""
        return json.dumps(self.descriptor, ensure_ascii=False, separators=(",", ":"))

    @property
    def descriptor(self) -> JsonObject:
        """The tool as `tools/list` shows it; OpenAI's clients read `securitySchemes` here or in `_meta`."""
        enough = alternatives(self.row.scopes, self.row.any_scopes)
        security = [{"type": "oauth2", "scopes": scopes} for scopes in enough]
        title = self.row.title or self.row.operation_id
        shown: JsonObject = {
            "name": self.row.name,
            "title": title,
            "description": self.row.description or title,
            "inputSchema": self.input_schema,
            "annotations": self._hints(title),
            "securitySchemes": security,
            "_meta": {"securitySchemes": security} | (page_meta(self.page) if self.page else {}),
        }
        return shown | ({"outputSchema": self.output_schema} if self.output_schema is not None else {})

    def _hints(self, title: str) -> JsonObject:
        given, methods = self.row.annotations, set(self.row.methods)
        return {
            "title": title,
            "readOnlyHint": self.is_read_only,
            "destructiveHint": given.get("destructive", bool(methods & {"DELETE", "PUT", "PATCH"})),
            "idempotentHint": given.get("idempotent", self.row.idempotent or methods <= SAFE | {"PUT", "DELETE"}),
            "openWorldHint": given.get("open_world", False),
        }

    def _add(
        self, name: str, location: str, schema: JsonObject, *, wire_name: str = "", required: bool = False
    ) -> None:
        argument = name
        while argument in self._used:
            # A parameter that somebody described keeps its name; ours step aside
            argument += "_"
        self._used[argument] = Place(argument, location, wire_name or name)
        self._properties[argument] = schema
        if required:
            self._required.append(argument)

    def _add_method(self) -> None:
        if len(self.row.methods) > 1:
            schema = {"enum": list(self.row.methods), "description": "HTTP method of the call"}
            self._add("method", "method", schema, required=True)

    def _add_parameters(self) -> None:
        described = {parameter["name"]: parameter for parameter in self.row.parameters}
        for name in self.template.names:
            self._add(name, "path", self._schema_of(described.pop(name, {})), required=True)
        for name, parameter in described.items():
            self._add(name, parameter["in"], self._schema_of(parameter), required=parameter.get("required", False))
        if self.template.tail:
            words = f"What follows {self.row.path.removesuffix('**')} in the path, such as a/b"
            self._add("path", "tail", {"type": "string", "description": words})
        if not described and self._is_undescribed:
            schema = {"type": "object", "additionalProperties": _SCALAR, "description": "Query parameters, by name"}
            self._add("query", "queries", schema)

    @property
    def _is_undescribed(self) -> bool:
        return not self.row.parameters and self.row.request_schema is None and self.row.response_schema is None

    def _add_body(self) -> None:
        schema = self.row.request_schema
        if schema is None:
            if set(self.row.methods) & _WITH_BODY:
                self._add("body", "body", {"description": "JSON body of the call"})
            return
        resolved = self._within(schema)
        properties = resolved.get("properties")
        if not _can_be_flat(resolved) or not isinstance(properties, dict) or properties.keys() & self._used.keys():
            self._add("body", "body", resolved, required=True)
            return
        for name, each in properties.items():
            self._add(name, "property", each, required=name in resolved.get("required", ()))
        self._open = resolved.get("additionalProperties", False)

    def _schema_of(self, parameter: JsonObject) -> JsonObject:
        schema = self._within(parameter["schema"]) if "schema" in parameter else {"type": "string"}
        words = parameter.get("description")
        return {"description": words, **schema} if words else schema

    def _within(self, schema: JsonObject) -> JsonObject:
        """The schema so that it means the same inside the input schema.

        What contains itself goes under `$defs` at the root: many clients look for what a reference names only there.
        """
        resolved = _resolved(schema)
        if resolved is not None:
            return resolved
        written = json.dumps(schema, sort_keys=True)
        digest = hashlib.sha256(written.encode()).hexdigest()[:16]
        if any(f'"{name}"' in written for name in _NAMED):
            # Its references count from names of its own (JSON Schema core, section 8.2.1)
            return {"$id": f"urn:schema:{digest}", **schema}
        name = f"schema_{digest}"
        self._defs[name] = _moved(schema, f"#/$defs/{name}")
        return {"$ref": f"#/$defs/{name}"}


def tool_of(row: ToolRow, *, page: str = "") -> Tool:
    """The tool that `row` and `page` describe: the one of the snapshot before, if that was made of the same."""
    found = _made.get(row.name)
    if found is None or (found.row, found.page) != (row, page):
        found = _made[row.name] = Tool(row, page)
    return found


_made: WeakValueDictionary[str, Tool] = WeakValueDictionary()


def _can_be_flat(schema: JsonObject) -> bool:
    return schema.get("type") == "object" and not schema.keys() & (_COMPOSED | {"$id", "$defs", "definitions"})


def _resolved(schema: JsonObject) -> JsonObject | None:
    """The schema with its references written out; None for one that contains itself, or would be too long."""
    written = json.dumps(schema)
    if '"$' not in written:
        # No keyword that refers or is referred to: nothing to write out
        return {name: value for name, value in schema.items() if name != "definitions"}
    if References(schema).outgrow(SCHEMA_MAX_BYTES):
        return None
    found: JsonObject = jsonschema_rs.dereference(schema, offline=True)
    return {name: value for name, value in found.items() if name not in {"$defs", "definitions"}}


def _moved(node: Any, to: str) -> Any:  # noqa: ANN401 - any part of a schema
    """A part of a schema that stands at `to` from now on: what it refers to has moved with it."""
    if isinstance(node, list):
        return [_moved(each, to) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        name: f"{to}{value[1:]}" if name == "$ref" and isinstance(value, str) else _moved(value, to)
        for name, value in node.items()
    }
