"""What an operation takes and gives: OpenAPI parameters and JSON Schemas, checked when they are stored.

A schema that the data plane cannot use is refused at save, so that a call never meets one.
"""

import json
from collections.abc import Iterator
from typing import Any, Final, Never
from urllib.parse import unquote

import jsonschema_rs
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from proxy.catalogue.header_names import HEADER_NAME, UNNAMEABLE
from proxy.catalogue.schema_size import References

SCHEMA_MAX_BYTES: Final = 65_536
PARAMETERS_MAX: Final = 100
DEPTH_MAX: Final = 64
# Values of a schema whose references are written out: a few lines can stand for billions
EXPANDED_MAX: Final = 20_000
# So many schemas one value is compared with, whatever refers to what
COMPARISONS_MAX: Final = 10_000
# What a schema may say it is written in: another address would be asked what it means
_DIALECTS: Final = frozenset({
    "https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema", "http://json-schema.org/draft-06/schema",
})  # fmt: skip
LOCATIONS: Final = ("path", "query", "header")
# RFC 9110 section 5.6.2, narrowed: these names also become properties of a tool's input
NAME_MAX = 100
HINTS: Final = ("read_only", "destructive", "idempotent", "open_world")


def check_schema(schema: object) -> None:
    """Let a JSON Schema (2020-12) in that can be used without fetching anything.

    Raises:
        ValidationError: it is none, too large, refers to another document, or to itself so often that no value could
            be compared with it.
    """
    if not isinstance(schema, dict):
        raise ValidationError(_('A JSON Schema as an object, such as {"type": "object"}.'))
    if _depth_of(schema) > DEPTH_MAX:
        raise ValidationError(_("A schema may be nested %(number)d deep at most.") % {"number": DEPTH_MAX})
    if len(json.dumps(schema)) > SCHEMA_MAX_BYTES:
        raise ValidationError(_("A schema may have %(bytes)s bytes at most.") % {"bytes": SCHEMA_MAX_BYTES})
    if any(not target.startswith("#") for target in _texts_of(schema, "$ref", "$dynamicRef")):
        raise ValidationError(_("A schema may only refer to itself: $ref starts with #."))
    if any(dialect.removesuffix("#") not in _DIALECTS for dialect in _texts_of(schema, "$schema")):
        raise ValidationError(_("$schema must name JSON Schema 2020-12, or be left out."))
    if References(schema).compare_more_than(COMPARISONS_MAX):
        raise ValidationError(_("Its references lead in circles, or multiply: no value could be compared with it."))
    try:
        validator(schema)
    except (ValueError, jsonschema_rs.ReferencingError) as fault:
        raise ValidationError(_("Not a JSON Schema: %(fault)s") % {"fault": _first_line(fault)}) from None
    if _is_boundless(schema):
        raise ValidationError(_("Its references, written out, come to too much: describe less, or more loosely."))


def is_usable_pattern(pattern: object) -> bool:
    """Whether values can be compared with a regular expression in linear time."""
    try:
        validator({"pattern": pattern})
    except ValueError:
        return False
    return True


def check_parameters(parameters: object, *, path_names: frozenset[str]) -> None:
    """Let a list of OpenAPI parameter objects in (OpenAPI 3.1 section 4.8.12); `path_names` stand in the path.

    Raises:
        ValidationError: one of them cannot be sent.
    """
    if not isinstance(parameters, list) or len(parameters) > PARAMETERS_MAX:
        raise ValidationError(_("A list of at most %(number)s parameters.") % {"number": PARAMETERS_MAX})
    seen = set()
    for parameter in parameters:
        _check_parameter(parameter, path_names)
        if parameter["name"] in seen:
            raise ValidationError(_("The parameter %(name)s is there twice.") % {"name": parameter["name"]})
        seen.add(parameter["name"])


def check_annotations(annotations: object) -> None:
    """Let hints about an operation in: names of `HINTS`, each true or false.

    Raises:
        ValidationError: it holds something else.
    """
    if not isinstance(annotations, dict) or not all(
        name in HINTS and isinstance(value, bool) for name, value in annotations.items()
    ):
        raise ValidationError(_("An object of %(names)s, each true or false.") % {"names": ", ".join(HINTS)})


def _check_parameter(parameter: object, path_names: frozenset[str]) -> None:
    if not isinstance(parameter, dict):
        raise ValidationError(_('A parameter looks like {"name": "place", "in": "query"}.'))
    name, location = parameter.get("name"), parameter.get("in")
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= NAME_MAX:
        raise ValidationError(_("Every parameter needs a name."))
    if location not in LOCATIONS:
        words = {"name": name, "places": ", ".join(LOCATIONS)}
        raise ValidationError(_('The parameter %(name)s needs "in", one of %(places)s.') % words)
    if location == "header" and (not HEADER_NAME.match(name) or name.lower() in UNNAMEABLE):
        raise ValidationError(_("%(name)s is no header that a call may set.") % {"name": name})
    if (location == "path") != (name in path_names):
        raise ValidationError(_("%(name)s must be a parameter of the path exactly when it is in it.") % {"name": name})
    if not isinstance(parameter.get("required", False), bool) or not isinstance(parameter.get("description", ""), str):
        raise ValidationError(_("required is true or false, description a text: %(name)s.") % {"name": name})
    if "schema" in parameter:
        check_schema(parameter["schema"])


def _depth_of(node: object) -> int:
    waiting, deepest = [(node, 1)], 0
    while waiting:
        here, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(here, dict | list):
            waiting.extend((each, depth + 1) for each in (here.values() if isinstance(here, dict) else here))
    return deepest


def _is_boundless(schema: dict[str, Any]) -> bool:
    """Whether writing out every reference, but for what contains itself, passes `EXPANDED_MAX` values."""
    waiting: list[tuple[object, frozenset[str]]] = [(schema, frozenset())]
    number = 0
    while waiting:
        node, within = waiting.pop()
        number += 1
        if number > EXPANDED_MAX:
            return True
        if isinstance(node, list):
            waiting.extend((each, within) for each in node)
        elif isinstance(node, dict):
            waiting.extend((each, within) for each in node.values())
            target = node.get("$ref")
            if isinstance(target, str) and target not in within:
                waiting.append((_pointed(schema, target), within | {target}))
    return False


def _pointed(schema: object, target: str) -> object:
    node = schema
    for token in unquote(target).split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict):
            node = node.get(name)
        elif isinstance(node, list):
            node = node[int(name)] if name.isascii() and name.isdigit() and int(name[:9]) < len(node) else None
    return node


def _texts_of(node: object, *names: str) -> Iterator[str]:
    # A stack, not recursion: the nesting is whatever was sent
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            yield from (here[name] for name in names if isinstance(here.get(name), str))
            waiting.extend(here.values())
        elif isinstance(here, list):
            waiting.extend(here)


def _first_line(fault: Exception) -> str:
    return str(fault).partition("\n")[0][:200]


def validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """What checks values against a schema; patterns run in linear time, for a value is whatever was sent.

    Raises:
        ValueError: it is no schema; `check_schema` lets none of those in.
    """
    return jsonschema_rs.Draft202012Validator(
        schema, pattern_options=jsonschema_rs.RegexOptions(), retriever=_nothing_is_fetched
    )


def _nothing_is_fetched(address: str) -> Never:
    # The library would ask any address that a schema names
    raise ValueError(address)
