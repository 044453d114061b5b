"""Two readings of a definition as a person compares them: line by line, with signs and not only colours."""

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from proxy.catalogue.tools import JsonObject

# Beyond so many lines they stand one after the other: nobody would compare them, and no page should wait for it
COMPARED_MAX: Final = 3_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `kind` is added, removed or same."""

    kind: str
    sign: str
    text: str


def lines(before: JsonObject | None, now: JsonObject | None) -> Iterator[Line]:
    """What was approved against what is said now; all of it is new where nothing was approved."""
    old, new = _pretty(before), _pretty(now)
    if len(old) + len(new) > COMPARED_MAX:
        yield from (Line("removed", "−", text) for text in old)  # noqa: RUF001 - a minus, as wide as a plus
        yield from (Line("added", "+", text) for text in new)
        return
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            yield from (Line("same", " ", text) for text in old[start:end])
            continue
        yield from (Line("removed", "−", text) for text in old[start:end])  # noqa: RUF001 - a minus, as wide as a plus
        yield from (Line("added", "+", text) for text in new[new_start:new_end])


def _pretty(value: JsonObject | None) -> list[str]:
    # Only ASCII: what poses as something else, or is not seen at all, is seen for what it is
    return json.dumps(value, indent=2, sort_keys=True).splitlines() if value is not None else []
