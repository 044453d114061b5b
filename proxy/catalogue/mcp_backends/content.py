"""What a backend says of one tool, prompt, resource or template: what of it is kept, and what is wrong with it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from django.core.exceptions import ValidationError

from proxy.catalogue.mcp_backends.features import (
    NAME_MAX,
    PROMPT,
    RESOURCE,
    RESOURCE_TEMPLATE,
    TOOL,
    is_usable,
)
from proxy.catalogue.mcp_backends.hidden_text import has_hidden
from proxy.catalogue.plans import McpFacts
from proxy.catalogue.schemas import check_schema
from proxy.catalogue.tools import JsonObject

DESCRIPTION_MAX_BYTES: Final = 8_192
DEFINITION_MAX_BYTES: Final = 131_072
# Of each kind of feature; a backend that offers more is not believed
DEFINITIONS_MAX: Final = 10_000
# By what each is called
NAMED_BY: Final = {TOOL: "name", PROMPT: "name", RESOURCE: "uri", RESOURCE_TEMPLATE: "uriTemplate"}
_SHARED: Final = ("title", "description", "icons", "_meta")
# What clients are shown of it (2026-07-28, schema); the size and the age of a resource change by themselves
KEPT: Final = {
    TOOL: (*_SHARED, "inputSchema", "outputSchema", "annotations", "execution"),
    PROMPT: (*_SHARED, "arguments"),
    RESOURCE: (*_SHARED, "name", "mimeType", "annotations"),
    RESOURCE_TEMPLATE: (*_SHARED, "name", "mimeType", "annotations"),
}
_TYPES: Final[Mapping[str, type]] = {
    "title": str, "description": str, "icons": list, "_meta": dict, "inputSchema": dict, "outputSchema": dict,
    "annotations": dict, "execution": dict, "arguments": list, "name": str, "mimeType": str,
}  # fmt: skip
_REQUIRED: Final = {TOOL: ("inputSchema",), PROMPT: (), RESOURCE: ("name",), RESOURCE_TEMPLATE: ("name",)}


@dataclass(frozen=True, slots=True)
class Found:
    """One definition as a backend gave it: `text` is its JSON, `digest` the same for equal content."""

    feature: str
    name: str
    text: str = field(repr=False)
    digest: str


@dataclass(frozen=True, slots=True)
class Look:
    """All that a backend said when it was asked; `unnamed` is how many definitions had no name that can be kept."""

    facts: McpFacts
    server_name: str
    server_version: str
    found: tuple[Found, ...]
    unnamed: int = 0


def found_of(feature: str, value: object) -> Found | None:
    """What is kept of a definition; None when it has no name that could be."""
    if not isinstance(value, dict):
        return None
    name = value.get(NAMED_BY[feature])
    if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX or has_hidden(name):
        return None
    kept = {key: value[key] for key in KEPT[feature] if key in value}
    if feature != TOOL and isinstance(kept.get("annotations"), dict):
        kept["annotations"] = {key: each for key, each in kept["annotations"].items() if key != "lastModified"}
    try:
        canonical = json.dumps(kept, sort_keys=True, separators=(",", ":"))
        # In its own order: models read properties as they are written
        return Found(feature, name, json.dumps(kept, separators=(",", ":")), _digest(canonical))
    except RecursionError:
        return None


@lru_cache(maxsize=16_384)
def parsed(text: str) -> JsonObject:
    """What a kept text says; shared, so nobody may change it."""
    value: JsonObject = json.loads(text) if text else {}
    return value


def fault_of(found: Found) -> str:
    """Why a definition cannot be served, as a slug of `FAULTS`; "" when it can."""
    value = json.loads(found.text)
    if not is_usable(found.feature, found.name):
        return "name"
    if len(found.text) > DEFINITION_MAX_BYTES:
        return "too_large"
    if not _has_shape(found.feature, value):
        return "shape"
    if len(value.get("description", "").encode("utf-8", "replace")) > DESCRIPTION_MAX_BYTES:
        return "description"
    if any(map(has_hidden, _texts(value))):
        return "hidden_text"
    return "schema" if schema_fault(value) else ""


def schema_fault(value: JsonObject) -> str:
    """What is wrong with the schemas of a tool, in words; "" when nothing is."""
    try:
        for name in ("inputSchema", "outputSchema"):
            if name in value:
                check_schema(value[name])
                if value[name].get("type") != "object":
                    return f'{name}: "type" must be "object".'
    except ValidationError as fault:
        return " ".join(fault.messages)
    return ""


def _has_shape(feature: str, value: JsonObject) -> bool:
    if any(not isinstance(each, _TYPES[name]) for name, each in value.items()):
        return False
    if any(name not in value for name in _REQUIRED[feature]):
        return False
    arguments = value.get("arguments", ())
    return all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in arguments)


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            yield here
        elif isinstance(here, dict):
            yield from here
            waiting.extend(here.values())
        elif isinstance(here, list):
            waiting.extend(here)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
