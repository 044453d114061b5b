"""Tools made of operations: one schema for everything a call takes."""

import contextlib
import json
import socket
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from proxy.catalogue.schemas import check_annotations, check_parameters, check_schema, validator
from proxy.catalogue.tools import Tool, ToolRow, tool_of

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
    "schema",
    [
        {"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}},
        {
            "type": "object",
            "properties": {"next": {"$ref": "#/$defs/Node"}},
            "$defs": {"Node": {"properties": {"next": {"$ref": "#/$defs/Node"}, "n": {"type": "integer"}}}},
        },
    ],
)
def test_every_reference_of_a_tool_counts_from_its_root(schema: dict[str, Any]) -> None:
    """Clients that hand a schema on to a model look for what it refers to there, whatever `$id` stands around it."""
    parameters = [{"name": "id", "in": "path"}, {"name": "filter", "in": "query", "schema": schema}]
    made = tool(methods=("POST",), parameters=parameters, request_schema=schema, response_schema=schema)
    for shown in (made.descriptor["inputSchema"], made.descriptor["outputSchema"]):
        assert "$id" not in json.dumps(shown)
        for target in targets_of(shown):
            found: Any = shown
            for name in target.split("/")[1:]:
                found = found[name]
            assert isinstance(found, dict)
    for argument in ("body", "filter"):
        good = {"id": "1", "body": {}, argument: {"next": {"n": 1}}}
        assert made.input_validator.is_valid(good)
        assert not made.input_validator.is_valid(good | {argument: {"next": {"n": "x"}}})
        assert not made.input_validator.is_valid(good | {argument: {"next": {"next": {"n": "x"}}}})


def targets_of(node: Any) -> list[str]:
    if isinstance(node, list):
        return [target for each in node for target in targets_of(each)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [target for each in node.values() for target in targets_of(each)]


def test_only_a_tool_that_reads_is_called_again_for_the_rest_of_its_answer() -> None:
    assert tool().continuation == "continue_from"
    assert tool(methods=("POST",)).continuation is None
    staff_know = tool(methods=("POST",), annotations={"read_only": True}, request_schema=OBJECT)
    assert staff_know.continuation == "continue_from"
    named = tool(parameters=[{"name": "id", "in": "path"}, {"name": "continue_from", "in": "query"}])
    assert named.continuation == "continue_from_"


def test_what_has_not_changed_is_not_made_again() -> None:
    made = tool_of(tool().row)
    assert tool_of(tool().row) is made
    assert tool_of(tool(title="Another").row) is not made


@pytest.mark.parametrize(
    ("changes", "hints"),
    [
        ({}, (True, False, True, False)),
        ({"methods": ("POST",)}, (False, False, False, False)),
        ({"methods": ("DELETE",)}, (False, True, True, False)),
        ({"methods": ("POST",), "annotations": {"read_only": True, "open_world": True}}, (True, False, False, True)),
        ({"methods": ("POST",), "idempotent": True}, (False, False, True, False)),
        ({"idempotent": True, "annotations": {"idempotent": False}}, (True, False, False, False)),
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


def doubling(levels: int, *, keyword: str) -> dict[str, Any]:
    defs: dict[str, Any] = {"d0": {"type": "string"}}
    for level in range(1, levels):
        below = {"$ref": f"#/$defs/d{level - 1}"}
        defs[f"d{level}"] = {keyword: {"a": below, "b": below} if keyword == "properties" else [below, below]}
    return {"type": "object", "properties": {"x": {"$ref": f"#/$defs/d{levels - 1}"}}, "$defs": defs}


def test_a_short_schema_that_means_a_long_one_stays_short() -> None:
    schema = doubling(40, keyword="properties")
    made = tool(methods=("POST",), path="/jobs", request_schema=schema, response_schema=schema)
    assert len(str(made.descriptor)) < 20_000
    assert made.input_validator.is_valid({"body": {"x": {"a": {"b": {}}}}})


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_a_schema_that_would_be_compared_without_end_is_refused(keyword: str) -> None:
    check_schema(doubling(8, keyword=keyword))
    with pytest.raises(ValidationError, match="circles"):
        check_schema(doubling(40, keyword=keyword))


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"}, {"not": {"$ref": "#"}}, {"$anchor": "a", "allOf": [{"$ref": "#a"}]},
        {"$dynamicAnchor": "a", "if": {"$dynamicRef": "#a"}},
        {"properties": {"x": {"$id": "urn:x", "anyOf": [{"$ref": "#"}]}}},
    ],
)  # fmt: skip
def test_a_schema_that_is_compared_with_itself_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="circles"):
        check_schema(schema)


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("named", [{"$schema": True}, {"$ref": "#", "$dynamicRef": True}])
def test_nobody_is_asked_what_a_schema_means(named: dict[str, Any], within: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/meta"
        schema = {name: address if value is True else value for name, value in named.items()}
        with pytest.raises(ValidationError):
            check_schema({"properties": {"a": {"$id": "urn:a", **schema}}} if within else schema)
        with contextlib.suppress(ValueError):
            validator(schema)
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


def test_the_dialect_that_is_spoken_may_be_named() -> None:
    for address in ("https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"):
        check_schema({"$schema": address, "type": "object"})


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
