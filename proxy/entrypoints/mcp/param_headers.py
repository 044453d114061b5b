"""Arguments of a tool that headers repeat, where its schema says so (2026-07-28, streamable HTTP, custom headers)."""

import re
from collections.abc import Iterator
from typing import Any, Final

from proxy.entrypoints.mcp.errors import HeaderMismatch
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.revisions import decoded
from proxy.pipeline.call import Headers, RawHeaders
from proxy.upstream.mcp.outgoing import header_text

_PREFIX: Final = "mcp-param-"
_MARK: Final = "x-mcp-header"
# What a header's name is made of (RFC 9110 section 5.6.2): with a colon in it, it would be another header
_TOKEN: Final = re.compile(r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}\Z")
_TYPES: Final = frozenset({"string", "integer", "boolean"})


def param_headers(schema: JsonObject, arguments: JsonObject) -> Headers:
    """The headers that repeat `arguments`, names in lower case."""
    return tuple((name, header_text(_text(value))) for name, value in _repeated(schema, arguments))


def check_param_headers(schema: JsonObject, arguments: JsonObject, headers: RawHeaders) -> None:
    """Let a call in whose headers say what its arguments say: somebody before us may have decided by them.

    Raises:
        HeaderMismatch: one is missing, there twice, or says something else.
    """
    for name, value in _repeated(schema, arguments):
        found = [each.decode("latin-1") for other, each in headers if other == name.encode()]
        said = decoded(found[0]) if len(found) == 1 else None
        if said is None or not _is_same(said, value):
            raise HeaderMismatch(f"The header {name} must say what the argument says.")


def _repeated(schema: JsonObject, arguments: JsonObject) -> Iterator[tuple[str, Any]]:
    """Each header with its argument; what is null or left out has none."""
    waiting: list[tuple[Any, Any]] = [(schema, arguments)]
    while waiting:
        node, values = waiting.pop()
        properties = node.get("properties") if isinstance(node, dict) else None
        if not isinstance(properties, dict) or not isinstance(values, dict):
            continue
        for name, inner in properties.items():
            value = values.get(name)
            if isinstance(inner, dict) and value is not None:
                waiting.append((inner, value))
                mark = inner.get(_MARK)
                if isinstance(mark, str) and _TOKEN.match(mark) and inner.get("type") in _TYPES:
                    yield _PREFIX + mark.lower(), value


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_same(said: str, value: object) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(said) == value
        except ValueError:
            return False
    return said == _text(value)
