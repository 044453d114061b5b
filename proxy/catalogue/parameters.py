"""Parameters of a query that are the gateway's alone: none of a client's passes beside them, however it is spelled."""

import re
from collections.abc import Set as AbstractSet
from typing import Final
from urllib.parse import quote, unquote_plus

# RFC 3986 section 2.3: such a name is its own encoding
PARAMETER_NAME: Final = re.compile(r"\A[A-Za-z0-9_.~-]+\Z")
# One decoding after another, as long as something changes: no backend decodes more often
_DECODINGS = 8


def folded_parameter(name: str) -> str:
    """`name` as the most generous of backends reads it: any case, PHP's `.` and blank for `_`, one value of a list."""
    stem, bracket, rest = name.split("\0", 1)[0].lstrip().partition("[")
    if bracket and "]" not in rest:
        stem = f"{stem}_{rest}"
    return stem.casefold().replace(".", "_").replace(" ", "_")


def without(query: str, names: AbstractSet[str]) -> str:
    """`query` without every parameter whose folded name is in `names`; the others stay byte for byte.

    A backend may separate parameters by `;` as well as by `&`, so both end one.
    """
    if not names or not query:
        return query
    groups = (_kept(group, names) for group in query.split("&"))
    return "&".join(group for group in groups if group is not None)


def parameter(name: str, value: str) -> str:
    """`name` and `value` as one parameter; whatever has a meaning in a query is percent-encoded UTF-8."""
    return f"{name}={quote(value, safe='')}"


def _kept(group: str, names: AbstractSet[str]) -> str | None:
    parts = group.split(";")
    kept = [part for part in parts if _folded_name(part) not in names]
    if len(kept) == len(parts):
        return group
    return ";".join(kept) if kept else None


def _folded_name(part: str) -> str:
    name = part.partition("=")[0]
    for _time in range(_DECODINGS):
        decoded = unquote_plus(name)
        if decoded == name:
            break
        name = decoded
    return folded_parameter(name)
