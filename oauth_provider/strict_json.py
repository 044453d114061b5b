"""JSON that two parsers cannot read differently (RFC 8259): UTF-8, no name twice, numbers that everybody has."""

import json
import math
from typing import Any, Final, Never

# What is read here is written again further down, where fewer levels are left of the interpreter's thousand
DEPTH_MAX: Final = 200


def loads(content: bytes) -> Any:  # noqa: ANN401 - whatever was sent
    """The value of a document.

    Raises:
        ValueError: it is no JSON, has more than one reading, or is nested deeper than `DEPTH_MAX`.
    """
    try:
        document = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_each_name_once,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    # Most documents open too few brackets to be so deep
    if content.count(b"[") + content.count(b"{") > DEPTH_MAX and _is_deep(document):
        raise ValueError("nested too deeply")
    return document


def _is_deep(document: object) -> bool:
    level = [document]
    for _depth in range(DEPTH_MAX + 1):
        nested = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [value for values in nested for value in values if isinstance(value, dict | list)]
    return bool(level)


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_constant(name: str) -> Never:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number beyond every range")
    return number
