"""Tools made of operations: one schema for everything a call takes."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from proxy.catalogue.schemas import check_annotations, check_parameters, check_schema
from proxy.catalogue.tools import Tool, ToolRow

OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def tool(**changes: Any) -> Tool:
    row: dict[str, Any] = {
        "name": "get-job", "operation_id": "get-job", "title": "", "description": "", "methods": ("GET",),
        "path": "/jobs/{id}", "scopes": ("jobs:read",), "parameters": (), "request_schema": None,
        "response_schema": None, "annotations": {},
    }  # fmt: skip
    return Tool(ToolRow(**(row | changes)))


def test_every_part_of_a_call_is_an_argument() -> None:
    parameters = [
        {"name": "id", "in": "path", "description": "Of the job", "schema": {"type": "integer"}},
        {"name": "page", "in": "query", "schema": {"type": "integer"}, "required": True},
        {"name": "X-Trace", "in": "header"},
    ]
    made = tool(methods=("POST", "PUT"), parameters=parameters, request_schema=OBJECT)
    assert made.input_schema["properties"].keys() == {"method", "id", "page", "X-Trace", "a"}
    assert made.input_schema["properties"]["id"] == {"description": "Of the job", "type": "integer"}
    assert made.input_schema["required"] == ["method", "id", "page", "a"]
    assert made.input_schema["additionalProperties"] is False


def test_a_body_that_cannot_be_flat_is_one_argument() -> None:
    for schema in ({"type": "array"}, {**OBJECT, "oneOf": [{}]}, {"type": "object", "properties": {"id": {}}}):
        assert "body" in tool(methods=("POST",), request_schema=schema).input_schema["required"]


def test_an_operation_that_nobody_described_still_takes_a_call() -> None:
    made = tool(methods=("POST",), path="/files/**")
    assert made.input_schema["properties"].keys() == {"path", "query", "body"}
    assert "required" not in made.input_schema


def test_references_are_written_out() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "integer"}}}
    made = tool(methods=("POST",), path="/jobs", request_schema=schema)
    assert made.input_schema["properties"] == {"a": {"type": "integer"}}


def test_a_schema_that_contains_itself_still_checks() -> None:
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}, "required": ["n"]}
    made = tool(methods=("POST",), path="/jobs", request_schema=schema)
    assert made.input_validator.is_valid({"body": {"n": 1, "next": {"n": 2}}})
    assert not made.input_validator.is_valid({"body": {"n": 1, "next": {"n": "x"}}})


@pytest.mark.parametrize(
    ("changes", "hints"),
    [
        ({}, (True, False, True, False)),
        ({"methods": ("POST",)}, (False, False, False, False)),
        ({"methods": ("DELETE",)}, (False, True, True, False)),
        ({"methods": ("POST",), "annotations": {"read_only": True, "open_world": True}}, (True, False, False, True)),
    ],
)
def test_hints_follow_the_methods_unless_staff_know_better(changes: dict[str, Any], hints: tuple[bool, ...]) -> None:
    shown = tool(**changes).descriptor["annotations"]
    names = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
    assert tuple(shown[name] for name in names) == hints


def test_the_scopes_stand_where_either_kind_of_client_looks() -> None:
    shown = tool().descriptor
    assert (
        shown["securitySchemes"] == shown["_meta"]["securitySchemes"] == [{"type": "oauth2", "scopes": ["jobs:read"]}]
    )


@pytest.mark.parametrize(
    "schema",
    [
        None, [], "x", {"type": "bogus"}, {"$ref": "https://evil.example/schema"}, {"$ref": "#/nowhere"},
        {"properties": {"a": {"$ref": "file:///etc/passwd"}}}, {"pattern": "("}, {"minimum": "x"},
        {"description": "x" * 70_000},
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_used_is_refused(schema: object) -> None:
    with pytest.raises(ValidationError):
        check_schema(schema)


def test_a_deep_schema_is_refused_and_not_a_crash() -> None:
    schema: dict[str, Any] = {}
    for _ in range(900):
        schema = {"not": schema}
    with pytest.raises(ValidationError):
        check_schema(schema)


@pytest.mark.parametrize(
    "parameters",
    [
        None, {}, [7], [{"in": "query"}], [{"name": "", "in": "query"}], [{"name": "a"}],
        [{"name": "a", "in": "cookie"}], [{"name": "a b", "in": "header"}], [{"name": "Host", "in": "header"}],
        [{"name": "a", "in": "path"}], [{"name": "id", "in": "query"}], [{"name": "a", "in": "query", "required": 1}],
        [{"name": "a", "in": "query"}] * 2, [{"name": "a\n", "in": "query"}],
        [{"name": "a", "in": "query", "schema": {"type": "x"}}], [{"name": "a", "in": "query", "description": 7}],
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_sent_are_refused(parameters: object) -> None:
    with pytest.raises(ValidationError):
        check_parameters(parameters, path_names=frozenset({"id"}))


@pytest.mark.parametrize("annotations", [None, [], {"read_only": 1}, {"other": True}])
def test_hints_are_known_and_true_or_false(annotations: object) -> None:
    with pytest.raises(ValidationError):
        check_annotations(annotations)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["type", "properties", "$ref", "items", "enum", "x"]), inner)
        ),
    )
)
def test_whatever_is_stored_as_a_schema_is_used_or_refused(schema: object) -> None:
    try:
        check_schema(schema)
    except ValidationError:
        return
    assert isinstance(schema, dict)
    tool(methods=("POST",), request_schema=schema, response_schema=schema).input_validator.is_valid({})
