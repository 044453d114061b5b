"""A schema that the data plane could not use, or not in reasonable time, is refused when it is stored."""

import time
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from proxy.catalogue.schemas import DEPTH_MAX, check_schema, is_usable_pattern


def nested(depth: int) -> Any:
    """Arrays of arrays; each level is one value inside another."""
    schema: dict[str, Any] = {}
    for _level in range(depth):
        schema = {"items": schema}
    return schema


def clique(number: int) -> dict[str, Any]:
    """Objects each of which contains all."""
    names = [f"n{index}" for index in range(number)]
    parts = {name: {"properties": {each: {"$ref": f"#/$defs/{each}"} for each in names}} for name in names}
    return {"$ref": "#/$defs/n0", "$defs": parts}


@pytest.mark.parametrize(
    "schema", [{}, {"type": "object"}, nested(DEPTH_MAX - 2), clique(3), {"items": {"$ref": "#"}}, {"$ref": "#/$defs/a",
               "$defs": {"a": {"type": "string"}}}]
)  # fmt: skip
def test_what_can_be_used_is_let_in(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize("schema", [nested(DEPTH_MAX), nested(900), clique(12)])
def test_what_would_take_too_long_is_refused_at_once(schema: dict[str, Any]) -> None:
    began = time.monotonic()
    with pytest.raises(ValidationError):
        check_schema(schema)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(("pattern", "is_usable"), [("^[a-z]+$", True), ("(?=a)b", False), ("(", False), (5, False)])
def test_patterns_are_usable_in_linear_time_or_not_at_all(pattern: object, is_usable: bool) -> None:
    assert is_usable_pattern(pattern) is is_usable
