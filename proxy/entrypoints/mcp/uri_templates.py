"""Whether a URI is one of those that a template stands for (RFC 6570): read from left to right, never twice."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

URI_MAX: Final = 2048
_EXPRESSION: Final = re.compile(r"\{([+#]?)[A-Za-z0-9_.%*]{1,100}\}")


@lru_cache(maxsize=1024)
def _parts(template: str) -> tuple[tuple[bool, str], ...]:
    """Its texts, each with whether any path may stand before it; () when it holds what is not read here."""
    parts, start, is_any = [], 0, False
    for found in _EXPRESSION.finditer(template):
        parts.append((is_any, template[start : found.start()]))
        start, is_any = found.end(), bool(found[1])
    parts.append((is_any, template[start:]))
    # Two expressions side by side: where one ends, nobody could say
    is_read = all(text for _is_any, text in parts[1:-1]) and not any("{" in text for _is_any, text in parts)
    return tuple(parts) if is_read and len(parts) > 1 else ()


def stands_for(template: str, uri: str) -> bool:
    """Whether `uri` is `template` with something in the place of each expression.

    A value goes to the first place where what follows it could begin. {name} holds no slash, and neither does it stand
    for one or for a step upwards.
    """
    parts = _parts(template)
    if not parts or len(uri) > URI_MAX or not uri.startswith(parts[0][1]):
        return False
    at = len(parts[0][1])
    *between, (is_any, last) = parts[1:]
    for is_any_here, text in between:
        end = uri.find(text, at + 1)
        if end < 0 or not _is_value(uri[at:end], is_any=is_any_here):
            return False
        at = end + len(text)
    end = len(uri) - len(last)
    return end > at and uri.endswith(last) and _is_value(uri[at:end], is_any=is_any)


def _is_value(value: str, *, is_any: bool) -> bool:
    plain = unquote(value)
    steps = re.split(r"[/\\]", plain)
    return plain.isprintable() and ".." not in steps and (is_any or (len(steps) == 1 and plain != "."))
