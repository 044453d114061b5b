"""From a tool's arguments to the HTTP call they stand for."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from proxy.catalogue.plans import ToolPlan
from proxy.catalogue.tools import Tool
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.parts import Position, position

# What of a path segment needs no encoding (RFC 3986 section 3.3)
_SEGMENT_SAFE = "$&'()*+,=:@!"
FAULTS_SHOWN = 5
# The words repeat what was sent, which may be a megabyte
FAULT_MAX = 300


class BadArguments(Exception):
    """The arguments do not fit the tool; the message names each one and what is wrong, for the model to mend."""


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A call of an operation. `body` is JSON, None without one; of a long answer the part `at` a position is wanted."""

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes | None
    at: Position | None


def check(validator: jsonschema_rs.Draft202012Validator, arguments: JsonObject) -> None:
    """Let arguments in that fit the tool's input schema, which `validator` checks.

    Raises:
        BadArguments: they do not.
    """
    faults = []
    for fault in validator.iter_errors(arguments):
        where = ".".join(map(str, fault.instance_path))
        words = f"{where}: {fault.message}" if where else fault.message
        faults.append(words if len(words) <= FAULT_MAX else f"{words[:FAULT_MAX]}…")
        if len(faults) == FAULTS_SHOWN:
            break
    if faults:
        raise BadArguments("The arguments do not fit the tool's input schema. " + "; ".join(faults))


def to_http(plan: ToolPlan, arguments: JsonObject) -> HttpCall:
    """The call that checked `arguments` stand for.

    Raises:
        BadArguments: one of them cannot travel where it belongs.
    """
    tool = plan.tool
    by_location: dict[str, dict[str, Any]] = {}
    for place in tool.places:
        if place.argument in arguments:
            by_location.setdefault(place.location, {})[place.wire_name] = arguments[place.argument]
    body = _body(tool, arguments, by_location)
    return HttpCall(
        method=by_location.get("method", {}).get("method", tool.row.methods[0]),
        path=_path(plan, by_location).encode("ascii"),
        query="&".join(_query({**by_location.get("query", {}), **_free_query(by_location)})).encode("ascii"),
        headers=tuple(_headers(by_location.get("header", {}))),
        body=body,
        at=_at(by_location.get("part", {})),
    )


def _path(plan: ToolPlan, by_location: Mapping[str, Mapping[str, Any]]) -> str:
    values, names = by_location.get("path", {}), iter(plan.tool.template.names)
    parts = [
        _segment(name := next(names), values[name]) if part is None else part for part in plan.tool.template.segments
    ]
    rest = str(by_location.get("tail", {}).get("path", "")).strip("/")
    parts += [_segment("path", part) for part in rest.split("/")] if rest else []
    return plan.prefix + "".join(f"/{part}" for part in parts)


def _segment(name: str, value: object) -> str:
    text = _text(value)
    if text in {"", ".", ".."} or any(character in text for character in "/\\;") or not text.isprintable():
        raise BadArguments(f"{name}: must be one part of a path, without / \\ ; and control characters.")
    return quote(text, safe=_SEGMENT_SAFE)


def _free_query(by_location: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    free: Mapping[str, Any] = next(iter(by_location.get("queries", {}).values()), {})
    return free


def _query(values: Mapping[str, Any]) -> Iterator[str]:
    # An array repeats its parameter: style form, explode (OpenAPI 3.1 section 4.8.12.2)
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            yield f"{quote(name, safe='')}={quote(_text(each), safe='')}"


def _headers(values: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in values.items():
        text = _text(value)
        if not (text.isascii() and text.isprintable()):
            raise BadArguments(f"{name}: must be printable ASCII, because it is sent as a header.")
        yield name.lower().encode("ascii"), text.encode("ascii")


def _at(values: Mapping[str, Any]) -> Position | None:
    for name, cursor in values.items():
        if (found := position(cursor)) is not None:
            return found
        raise BadArguments(f"{name}: must be what the result before named, letter for letter.")
    return None


def _body(tool: Tool, arguments: JsonObject, by_location: Mapping[str, Mapping[str, Any]]) -> bytes | None:
    if "body" in by_location:
        return _json(by_location["body"]["body"])
    known = {place.argument for place in tool.places}
    # A body that takes further properties gets whatever the tool has no place of its own for
    properties = {**by_location.get("property", {}), **{k: v for k, v in arguments.items() if k not in known}}
    is_flat = any(place.location == "property" for place in tool.places)
    return _json(properties) if is_flat or properties else None


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
