"""Schemas of OpenAPI 3.0 and 3.1 become JSON Schema 2020-12 that stands on its own."""

from typing import Any

import pytest

from proxy.catalogue.openapi_import.faults import BadDocument
from proxy.catalogue.openapi_import.references import Source
from proxy.catalogue.openapi_import.translate import Translator, Untranslatable
from proxy.catalogue.schemas import check_schema, validator

JOB = {"type": "object", "properties": {"boss": {"$ref": "#/components/schemas/Person"}}}
PERSON = {"type": "object", "properties": {"jobs": {"type": "array", "items": {"$ref": "#/components/schemas/Job"}}}}


def translated(schema: object, *, version: str = "3.0.3", **schemas: Any) -> Any:
    """`schema` in a document with `schemas` among its components."""
    root = {"openapi": version, "components": {"schemas": schemas}}
    found = Translator(Source(root)).schema(schema)
    if found is not None:
        check_schema(found)
    return found


@pytest.mark.parametrize(
    ("of_3_0", "of_2020"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"type": "string", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        (
            {"allOf": [{"type": "string"}], "nullable": True},
            {"anyOf": [{"allOf": [{"type": "string"}]}, {"type": "null"}]},
        ),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"type": "integer", "exclusiveMinimum": 1}),
        ({"type": "integer", "maximum": 9, "exclusiveMaximum": False}, {"type": "integer", "maximum": 9}),
        ({"type": "string", "example": "a"}, {"type": "string", "examples": ["a"]}),
        ({"type": "string", "x-internal": 1, "xml": {}, "discriminator": {}}, {"type": "string"}),
        ({"properties": {"example": {"type": "string"}}}, {"properties": {"example": {"type": "string"}}}),
        ({"items": {"type": "string", "nullable": True}}, {"items": {"type": ["string", "null"]}}),
        ({"additionalProperties": {"nullable": True, "type": "integer"}},
         {"additionalProperties": {"type": ["integer", "null"]}}),
    ],
)  # fmt: skip
def test_what_3_0_says_otherwise_is_translated(of_3_0: Any, of_2020: Any) -> None:
    assert translated(of_3_0) == of_2020


def test_3_1_is_2020_12_already() -> None:
    schema = {"type": ["string", "null"], "exclusiveMinimum": 1, "const": "a", "nullable": True}
    assert translated(schema, version="3.1.0") == {"type": ["string", "null"], "exclusiveMinimum": 1, "const": "a"}


def test_a_schema_brings_along_what_it_refers_to_and_no_more() -> None:
    found = translated({"$ref": "#/components/schemas/Job"}, Job=JOB, Person=PERSON, Other={"type": "string"})
    assert found == {
        "type": "object",
        "properties": {"boss": {"$ref": "#/$defs/Person"}},
        "$defs": {
            "Person": {
                "type": "object", "properties": {"jobs": {"type": "array", "items": {"$ref": "#/$defs/Job"}}},
            },
            "Job": {"type": "object", "properties": {"boss": {"$ref": "#/$defs/Person"}}},
        },
    }  # fmt: skip
    assert validator(found).is_valid({"boss": {"jobs": [{"boss": {}}]}})
    assert not validator(found).is_valid({"boss": {"jobs": [{"boss": 1}]}})


def test_two_parts_of_one_name_stay_two() -> None:
    root = {"openapi": "3.1.0", "components": {"schemas": {"A": {"type": "string"}}, "x": {"A": {"type": "integer"}}}}
    schema = {"properties": {"one": {"$ref": "#/components/schemas/A"}, "two": {"$ref": "#/components/x/A"}}}
    found = Translator(Source(root)).schema(schema)
    assert found is not None
    assert validator(found).is_valid({"one": "a", "two": 1})
    assert not validator(found).is_valid({"one": 1})


@pytest.mark.parametrize("target", ["other.yaml#/Job", "https://example.com/job.json", "file:///etc/passwd", "Job"])
def test_another_document_is_never_read(target: str) -> None:
    with pytest.raises(BadDocument, match="another document"):
        translated({"properties": {"job": {"$ref": target}}})


@pytest.mark.parametrize("target", ["#/components/schemas/None", "#/components/schemas/A/9", "#/x/~2"])
def test_what_is_not_there_is_named(target: str) -> None:
    with pytest.raises(BadDocument, match="not there"):
        translated({"properties": {"job": {"$ref": target}}}, A=[])


@pytest.mark.parametrize("schema", [True, {}, None])
def test_whatever_allows_everything_is_none(schema: object) -> None:
    if schema is None:
        with pytest.raises(Untranslatable):
            translated(schema)
    else:
        assert translated(schema, version="3.1.0") is None


@pytest.mark.parametrize(
    "schema",
    [
        "string",
        {"type": "strange"},
        {"required": True, "type": "string"},
        {"properties": {"a": 5}},
        {"$id": "urn:x"},
        {"properties": {"a": {"$dynamicRef": "#x"}}},
        {"enum": ["x" * 70_000]},
    ],
)
def test_what_is_no_schema_is_left_out(schema: object) -> None:
    with pytest.raises(Untranslatable):
        translated(schema)


def test_a_schema_of_few_lines_that_stands_for_billions_is_left_out() -> None:
    parts: dict[str, Any] = {"A0": {"type": "string"}}
    for number in range(1, 30):
        parts[f"A{number}"] = {"properties": {each: {"$ref": f"#/components/schemas/A{number - 1}"} for each in "ab"}}
    with pytest.raises(Untranslatable, match="too much"):
        translated({"$ref": "#/components/schemas/A29"}, **parts)


def test_many_that_contain_each_other_are_left_out() -> None:
    names = [f"A{number}" for number in range(8)]
    parts: dict[str, Any] = {
        name: {"properties": {each: {"$ref": f"#/components/schemas/{each}"} for each in names}} for name in names
    }
    with pytest.raises(Untranslatable, match="too much"):
        translated({"$ref": "#/components/schemas/A0"}, **parts)


def test_a_long_chain_is_followed() -> None:
    parts: dict[str, Any] = {"A0": {"type": "string"}}
    for number in range(1, 100):
        parts[f"A{number}"] = {"items": {"$ref": f"#/components/schemas/A{number - 1}"}}
    assert translated({"$ref": "#/components/schemas/A99"}, **parts)


def test_a_pattern_beyond_linear_time_is_left_out_and_said() -> None:
    translator = Translator(Source({"openapi": "3.0.0"}))
    assert translator.schema({"type": "string", "pattern": "(?=a)b"}) == {"type": "string"}
    assert translator.schema({"type": "string", "pattern": "^[a-z]+$"}) == {"type": "string", "pattern": "^[a-z]+$"}
    assert translator.left_out_patterns == {"(?=a)b"}
