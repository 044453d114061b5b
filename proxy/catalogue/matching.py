"""From a canonical path and a method to one operation, at a cost that does not depend on how many there are."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Generic, TypeVar

from proxy.catalogue.paths import Template

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One operation answers."""

    operation: T


@dataclass(frozen=True, slots=True)
class OtherMethods:
    """The path exists, the method does not; `allow` is the value of the Allow header (RFC 9110 section 10.2.1)."""

    allow: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """No operation has this path."""


NOTHING = Nothing()


class Disabled(Enum):
    """What stands in the place of an operation that staff switched off."""

    HERE = "here"


DISABLED: Final = Disabled.HERE


@dataclass(slots=True)
class _Node(Generic[T]):
    literals: dict[str, "_Node[T]"] = field(default_factory=dict)
    parameter: "_Node[T] | None" = None
    here: T | None = None
    tail: T | None = None


class Matcher(Generic[T]):
    """A trie of path segments for each method: a literal beats a parameter, a parameter beats a tail.

    Of two operations with the same method and an equally specific path the first one given stays. Where a disabled one
    would answer nothing does: no less specific one answers in its place.
    """

    def __init__(self, entries: Iterable[tuple[str, Template, T | Disabled]]) -> None:
        self._tries: dict[str, _Node[T | Disabled]] = {}
        for method, template, operation in entries:
            self._add(self._tries.setdefault(method, _Node()), template, operation)

    def match(self, method: str, segments: tuple[str, ...]) -> Found[T] | OtherMethods | Nothing:
        """The operation for `method` at `segments` (below the prefix); HEAD is answered by GET."""
        root = self._tries.get("GET" if method == "HEAD" else method)
        operation = None if root is None else _walk(root, segments, 0)
        if operation is not None and not isinstance(operation, Disabled):
            return Found(operation)
        others = [name for name, trie in self._tries.items() if _answers(trie, segments)]
        if not others:
            return NOTHING
        if "GET" in others:
            others.append("HEAD")
        return OtherMethods(allow=", ".join(sorted([*others, "OPTIONS"])))

    def _add(self, root: _Node[T | Disabled], template: Template, operation: T | Disabled) -> None:
        node = root
        for segment in template.segments:
            if segment is None:
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        if template.tail and node.tail is None:
            node.tail = operation
        elif not template.tail and node.here is None:
            node.here = operation


def _answers(root: _Node[T | Disabled], segments: tuple[str, ...]) -> bool:
    operation = _walk(root, segments, 0)
    return operation is not None and not isinstance(operation, Disabled)


def _walk(node: _Node[T], segments: tuple[str, ...], index: int) -> T | None:
    if index == len(segments):
        return node.here if node.here is not None else node.tail
    segment = segments[index]
    literal = node.literals.get(segment)
    if literal is not None and (found := _walk(literal, segments, index + 1)) is not None:
        return found
    # A parameter stands for something: the empty segment of a trailing slash is nothing
    if segment and node.parameter is not None and (found := _walk(node.parameter, segments, index + 1)) is not None:
        return found
    return node.tail
