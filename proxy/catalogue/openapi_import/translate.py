"""Schemas of OpenAPI 3.0 and 3.1 as JSON Schema 2020-12 that stands on its own: what it refers to comes along."""

import json
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from proxy.catalogue.openapi_import.references import Source
from proxy.catalogue.schemas import SCHEMA_MAX_BYTES, check_schema, is_usable_pattern
from proxy.catalogue.tools import JsonObject

# Keywords by what they hold (JSON Schema core, sections 8.2.4, 10 and 11)
_MAPS: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SINGLES: Final = frozenset({"items", "not", "additionalProperties", "if", "then", "else", "contains", "propertyNames",
                             "unevaluatedItems", "unevaluatedProperties", "contentSchema"})  # fmt: skip
# Of OpenAPI alone, or led to elsewhere: `$defs` are collected from what is referred to
_LEFT_OUT: Final = frozenset({"xml", "discriminator", "externalDocs", "nullable", "$schema", "$defs", "definitions"})
_ADDRESSES: Final = frozenset({"$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef"})
_BOUNDS: Final = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


class Untranslatable(Exception):
    """The schema cannot stand on its own; the message says why."""


class Translator:
    """Translates the schemas of one document; each part that is referred to only once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._names: dict[str, str] = {}
        # By what refers to it: the translation, its size, and what it refers to itself
        self._parts: dict[str, tuple[Any, int, set[str]]] = {}
        # Patterns that need more than linear time: each would keep its whole schema out
        self.left_out_patterns: set[str] = set()

    def schema(self, node: object) -> JsonObject | None:
        """`node` as a schema that stands on its own; None when it allows everything.

        Raises:
            Untranslatable: it is none, too large, or has addresses of its own.
            BadDocument: it refers to another document, or to nothing.
        """
        targets: set[str] = set()
        found = self._converted(self._unwrapped(node), targets)
        if found in (True, {}):
            return None
        if not isinstance(found, dict):
            raise Untranslatable(_("it is no schema"))
        if parts := self._collected(targets, size=len(json.dumps(found))):
            found["$defs"] = parts
        try:
            check_schema(found)
        except ValidationError as fault:
            raise Untranslatable(" ".join(fault.messages)) from None
        return found

    def _unwrapped(self, node: object) -> object:
        # What is nothing but a reference is what it refers to: only a schema of an object can be a tool's answer
        for _step in range(20):
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
                break
            if not self._source.is_3_0 and node.keys() - {"$ref", "description", "summary"}:
                break
            node = self._source.at(node["$ref"])
        return node

    def _collected(self, targets: set[str], *, size: int) -> JsonObject:
        """Everything that is referred to, at however many steps, by name."""
        waiting, seen, found = sorted(targets), set(targets), JsonObject()
        while waiting:
            target = waiting.pop()
            if target not in self._parts:
                own: set[str] = set()
                part = self._converted(self._source.at(target), own)
                self._parts[target] = (part, len(json.dumps(part)), own)
            part, length, own = self._parts[target]
            size += length
            if size > SCHEMA_MAX_BYTES:
                raise Untranslatable(_("it has more than %(bytes)s bytes") % {"bytes": SCHEMA_MAX_BYTES})
            found[self._names[target]] = part
            waiting += sorted(own - seen)
            seen |= own
        return found

    def _converted(self, node: object, targets: set[str]) -> Any:  # noqa: ANN401 - an object or a boolean
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            raise Untranslatable(_("it is no schema"))
        if found := _ADDRESSES & node.keys():
            raise Untranslatable(_("it uses %(keyword)s") % {"keyword": min(found)})
        target = node.get("$ref")
        if isinstance(target, str):
            reference = {"$ref": self._reference(target, targets)}
            if self._source.is_3_0:
                # What stands beside a reference is ignored there (OpenAPI 3.0 section 4.7.23)
                return reference
            node = {**node, **reference}
        converted = {
            key: self._value(key, value, targets)
            for key, value in node.items()
            if key not in _LEFT_OUT and not key.startswith("x-")
        }
        if "pattern" in converted and not is_usable_pattern(converted["pattern"]):
            self.left_out_patterns.add(str(converted.pop("pattern"))[:100])
        return _from_3_0(converted, node) if self._source.is_3_0 else converted

    def _value(self, key: str, value: Any, targets: set[str]) -> Any:  # noqa: ANN401 - whatever a keyword holds
        if key in _MAPS and isinstance(value, dict):
            return {name: self._converted(each, targets) for name, each in value.items()}
        if key in _LISTS and isinstance(value, list):
            return [self._converted(each, targets) for each in value]
        if key in _SINGLES and isinstance(value, dict):
            return self._converted(value, targets)
        return value

    def _reference(self, target: str, targets: set[str]) -> str:
        self._source.at(target)
        targets.add(target)
        if target not in self._names:
            stem = "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "_"
                           for each in target.rpartition("/")[2])[:60] or "root"  # fmt: skip
            taken, name, number = set(self._names.values()), stem, 2
            while name in taken:
                name, number = f"{stem}_{number}", number + 1
            self._names[target] = name
        return f"#/$defs/{self._names[target]}"


def _from_3_0(schema: JsonObject, original: JsonObject) -> JsonObject:
    """What 3.0 says otherwise than 2020-12 (OpenAPI 3.0 section 4.7.24)."""
    for exclusive, bound in _BOUNDS.items():
        flag = schema.get(exclusive)
        if isinstance(flag, bool):
            del schema[exclusive]
            if flag and bound in schema:
                schema[exclusive] = schema.pop(bound)
    if "example" in schema:
        schema["examples"] = [schema.pop("example")]
    return _nullable(schema) if original.get("nullable") is True else schema


def _nullable(schema: JsonObject) -> JsonObject:
    kind = schema.get("type")
    if isinstance(kind, str):
        schema["type"] = [kind, "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
        return schema
    composed = schema.keys() & {"allOf", "anyOf", "oneOf"}
    return {"anyOf": [schema, {"type": "null"}]} if composed else schema
