"""A long answer in parts: what fits into one result, and where the next part begins.

Nothing of an answer is kept. For its next part the model makes the same call again, so that only tools that change
nothing have more than one part.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

# Hosts cut longer ones without a word: Claude at about 150,000 characters, ChatGPT's actions at 100,000
TEXT_MAX: Final = 100_000
ELEMENTS, CHARACTERS = "e", "c"
# Further down an array is no longer what an answer is about, and each step reads the rest of the answer once
DEPTH_MAX: Final = 8
# Of the longest text that fits, so much is given up for the end of a line
_LINE_MAX: Final = 2_000
_CURSOR: Final = re.compile(r"([ec])([1-9][0-9]{0,8})-([0-9a-f]{16})")
_NAMES: Final = {ELEMENTS: "elements", CHARACTERS: "characters"}


@dataclass(frozen=True, slots=True)
class Position:
    """Where a part begins: `start` counts in `unit`, from 0; `digest` is that of the answer it was counted in."""

    unit: str
    start: int
    digest: str

    def __str__(self) -> str:
        return f"{self.unit}{self.start}-{self.digest}"


class NoSuchPart(Exception):
    """The answer is another one now, and has nothing at that position."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one result shows: `text`, and `value` where it is JSON that can be read by itself.

    `end` is the position of the next part, None after the last one. `where` names the array that is cut, "" for a
    text. `changed`: the answer is not the one that the position is from.
    """

    text: str
    value: Any
    start: int
    total: int
    unit: str
    end: Position | None
    where: str = ""
    changed: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.start == 0 and self.end is None

    def note(self, *, argument: str | None) -> str:
        """What the model must know about it; `argument` takes the position of the next part, None when none does."""
        until = self.end.start if self.end else self.total
        counted = f"{_NAMES[self.unit]} {self.start + 1} to {until} of {self.total}"
        words = ["The answer has changed since the part before: this one may not fit it."] if self.changed else []
        words.append(f"Shown: {counted}{f' of {self.where}' if self.where else ''}.")
        if self.end is None:
            words.append("This is the last part.")
        elif argument:
            words.append(f'For the next part make the same call again, with "{argument}": "{self.end}".')
        else:
            words.append("The rest is gone, and this call is not repeated for it: read it with another tool.")
        return f"[{' '.join(words)}]"


def position(cursor: str) -> Position | None:
    """The position that a cursor names; None when it is none of ours."""
    found = _CURSOR.fullmatch(cursor)
    return Position(found[1], int(found[2]), found[3]) if found else None


def part_of_text(text: str, *, at: Position | None) -> Part:
    """The part of `text` that begins `at`; the beginning without one. It ends with a line where it can.

    Raises:
        NoSuchPart: there is nothing.
    """
    start, digest, changed = _begin(text, at, unit=CHARACTERS, total=len(text))
    end = start + TEXT_MAX
    if end < len(text):
        end = text.rfind("\n", end - _LINE_MAX, end) + 1 or end
    following = Position(CHARACTERS, end, digest) if end < len(text) else None
    return Part(text[start:end], None, start, len(text), CHARACTERS, following, changed=changed)


def part_of_json(value: Any, text: str, *, at: Position | None) -> Part:  # noqa: ANN401 - any JSON
    """The part of a JSON document that begins `at`: a document as the whole, with some of its longest array.

    A document without such an array, or whose other members are too long already, is cut as `text`, as it was sent.

    Raises:
        NoSuchPart: there is nothing at that position.
    """
    if at is None and len(text) <= TEXT_MAX:
        return Part(text, value, 0, len(text), CHARACTERS, None)
    found = _longest_array(value)
    if found is None:
        return part_of_text(text, at=at)
    start, digest, changed = _begin(text, at, unit=ELEMENTS, total=len(found.elements))
    sizes = accumulate((size + 1 for size in found.sizes[start:]), initial=found.around)
    end = start + max(sum(size <= TEXT_MAX for size in sizes) - 1, 1)
    shown = _with(value, found.path, found.elements[start:end])
    following = Position(ELEMENTS, end, digest) if end < len(found.elements) else None
    where = ".".join(map(str, found.path)) or "the array"
    return Part(_written(shown), shown, start, len(found.elements), ELEMENTS, following, where, changed)


@dataclass(frozen=True, slots=True)
class _Array:
    """An array in a document, what each element takes in characters, and what everything around them takes."""

    path: tuple[str | int, ...]
    elements: list[Any]
    sizes: Sequence[int]
    around: int


def _longest_array(document: object) -> _Array | None:
    """The array that makes the document long, whose elements each fit; None when there is none."""
    path: tuple[str | int, ...] = ()
    node, around = document, 0
    for _step in range(DEPTH_MAX):
        if not isinstance(node, dict | list) or not node:
            return None
        children = list(node.items() if isinstance(node, dict) else enumerate(node))
        sizes = [len(_written(child)) for _name, child in children]
        heaviest = max(range(len(sizes)), key=sizes.__getitem__)
        if isinstance(node, list) and around + sizes[heaviest] + 3 <= TEXT_MAX:
            return _Array(path, node, sizes, around + 2)
        names = sum(len(_written(name)) + 2 for name, _child in children) if isinstance(node, dict) else len(children)
        around += 2 + names + sum(sizes) - sizes[heaviest]
        name, node = children[heaviest]
        path = (*path, name)
    return None


def _begin(text: str, at: Position | None, *, unit: str, total: int) -> tuple[int, str, bool]:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    if at is None:
        return 0, digest, False
    if at.unit != unit or at.start >= total:
        raise NoSuchPart
    return at.start, digest, at.digest != digest


def _with(node: Any, path: tuple[str | int, ...], array: list[Any]) -> Any:  # noqa: ANN401 - any JSON
    if not path:
        return array
    changed = node.copy()
    changed[path[0]] = _with(node[path[0]], path[1:], array)
    return changed


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
