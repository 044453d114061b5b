"""JSON that two parsers cannot read differently (RFC 8259): UTF-8, no name twice, numbers that everybody has."""

import json
import math
from typing import Any, Never


def loads(content: bytes) -> Any:  # noqa: ANN401 - whatever was sent
    """The value of a document.

    Raises:
        ValueError: it is no JSON, or has more than one reading.
    """
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_each_name_once,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


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
