"""JSON and YAML are read one way only, and nothing in them grows."""

import json
import time
from typing import Any

import pytest

from proxy.catalogue.openapi_import.faults import BadDocument
from proxy.catalogue.openapi_import.read import MAX_BYTES, read_document
from proxy.catalogue.openapi_import.yaml_values import yaml_value

MINIMAL: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "Jobs", "version": "1"}, "paths": {}}


def bomb(levels: int) -> str:
    """YAML of a few lines that stands for 9 to the power of `levels` values."""
    first = ["openapi: 3.1.0", "paths: {}", "x0: &x0 [a,a,a,a,a,a,a,a,a]"]
    lines = first + [f"x{level}: &x{level} [{','.join([f'*x{level - 1}'] * 9)}]" for level in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize("version", ["3.0.0", "3.0.3", "3.1.0", "3.1.1"])
def test_both_versions_are_read_from_json_and_yaml(version: str) -> None:
    document = MINIMAL | {"openapi": version}
    assert read_document(json.dumps(document).encode()) == document
    as_yaml = f"openapi: {version}\ninfo:\n  title: Jobs\n  version: '1'\npaths: {{}}\n"
    assert read_document(as_yaml.encode()) == document
    assert read_document(b"\xef\xbb\xbf" + as_yaml.encode()) == document


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "no OpenAPI"),
        (b"[]", "no OpenAPI"),
        (b"just words", "no OpenAPI"),
        (b'{"openapi": "3.1.0", "paths": []}', "no OpenAPI"),
        (b'{"swagger": "2.0", "paths": {}}', "Swagger 2.0"),
        (b'{"openapi": "3.2.0", "paths": {}}', "3.2.0"),
        (b'{"openapi": 3, "paths": {}}', "3.0 and 3.1"),
        (b'{"paths": {}}', "nothing"),
        (b'{"openapi": "3.1.0", "paths": {}, "paths": {}}', "a name twice"),
        (b'{"openapi": "3.1.0", "paths": {}', "JSON"),
        (b'{"openapi": "3.1.0", "paths": {}, "x": NaN}', "JSON"),
        (b'{"openapi": "3.1.0", "paths": {}, "x": 1e999}', "range"),
        (b"openapi: 3.1.0\npaths: {}\nx: 1e999", "infinite"),
        (b'{"openapi": "3.1.0", "paths": {}, "x": "\\u0000"}', "NUL"),
        (b'{"openapi": "3.1.0", "paths": {}, "x": "\\ud800"}', "half a character"),
        (b'{"openapi": "3.1.0", "paths": {}, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
        (b'{"openapi": "3.1.0", "paths": {}, "x": ' + b"[" * 80 + b"]" * 80 + b"}", "nested too deeply"),
        (b"\xff\xfe", "UTF-8"),
        (b"openapi: 3.1.0\npaths: {}\npaths: {}", "a second time"),
        (b"openapi: 3.1.0\npaths: {}\n---\nopenapi: 3.1.0", "second document"),
        (b"openapi: 3.1.0\npaths: !!python/object/apply:os.system [id]", "tag"),
        (b"openapi: 3.1.0\nx: !!binary aGk=", "tag"),
        (b"openapi: 3.1.0\nx: *nowhere", "alias"),
        (b"openapi: 3.1.0\nx: &a [*a]", "alias"),
        (b"openapi: 3.1.0\na: &a {b: 1}\nc:\n  <<: *a", "merge key"),
        (b"openapi: 3.1.0\n[a]: b", "no text"),
        (b"openapi: 3.1.0\nx: " + b"[" * 100 + b"]" * 100, "nested too deeply"),
        (b"openapi: 3.1.0\nx: " + b"[" * 100_000, "Line"),
        (b"openapi: 3.1.0\nx: {", "Line"),
        (b"openapi: 3.1.0\n\tx: 1", "Line"),
    ],
)
def test_what_has_no_or_several_readings_is_refused(content: bytes, named: str) -> None:
    with pytest.raises(BadDocument, match=named):
        read_document(content)


def test_a_document_beyond_the_limit_is_not_even_parsed() -> None:
    with pytest.raises(BadDocument, match=str(MAX_BYTES)):
        read_document(b"{" + b" " * MAX_BYTES)


def test_aliases_are_followed_and_bombs_are_not() -> None:
    assert yaml_value("a: &x {b: [1]}\nc: *x\nd: [*x, *x]") == {
        "a": {"b": [1]}, "c": {"b": [1]}, "d": [{"b": [1]}, {"b": [1]}],
    }  # fmt: skip
    began = time.monotonic()
    with pytest.raises(BadDocument, match="1000000 values"):
        read_document(bomb(40).encode())
    assert time.monotonic() - began < 1


def test_plain_values_are_what_yaml_1_2_says() -> None:
    document = (
        "200: a\non: yes\nnull: ~\na: 'true'\nb: true\nc: 010\nd: 1.5\ne: 2020-01-01\nf: 12:30\ng:\nh: 1e3\ni: !!str 5"
    )
    assert yaml_value(document) == {
        "200": "a", "on": "yes", "null": None, "a": "true", "b": True, "c": 10, "d": 1.5, "e": "2020-01-01",
        "f": "12:30", "g": None, "h": 1000.0, "i": "5",
    }  # fmt: skip
