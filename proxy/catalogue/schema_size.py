"""How much a schema stands for once its references are followed: 2 KB of it can mean more than a computer holds."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

Node = dict[str, Any]

# Keywords whose schemas look at the same value as the one they stand in (JSON Schema core, section 10.2)
_SAME_VALUE: Final = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "$ref", "$dynamicRef")


class References:
    """The references of one schema: each counts from the nearest `$id` around it (JSON Schema core, section 8.2)."""

    def __init__(self, schema: Node) -> None:
        self._root = schema
        self._base: dict[int, Node] = {}
        self._anchors: dict[tuple[int, str], Node] = {}
        self._known: dict[int, int] = {}
        self._read()

    def outgrow(self, limit: int) -> bool:
        """Whether the schema with every reference written out has more than `limit` characters, or no end.

        One that goes by a name (`$anchor`) counts as that too: what it means depends on where it stands.
        """
        left = limit
        waiting: list[tuple[Any, frozenset[int]]] = [(self._root, frozenset())]
        while waiting and left >= 0:
            node, around = waiting.pop()
            if isinstance(node, list):
                waiting.extend((each, around) for each in node)
            elif isinstance(node, dict):
                left -= sum(len(name) + 4 for name in node)
                waiting.extend((each, around) for each in node.values())
                if isinstance(node.get("$ref"), str):
                    target = self._pointed(node, node["$ref"])
                    if target is None or id(target) in around:
                        return True
                    waiting.append((target, around | {id(target)}))
            else:
                left -= len(str(node)) + 2
        return left < 0

    def compare_more_than(self, limit: int) -> bool:
        """Whether some value would be compared with more than `limit` schemas, or with one for ever."""
        try:
            return any(self._ways(node) > limit for node in self._nodes())
        except RecursionError:
            return True

    def _ways(self, node: object) -> int:
        if not isinstance(node, dict):
            return 1
        found = self._known.get(id(node))
        if found is None:
            # Whoever comes back here while it is counted has found a circle
            self._known[id(node)] = 1 << 62
            found = self._known[id(node)] = 1 + sum(map(self._ways, self._same_value(node)))
        return found

    def _same_value(self, node: Node) -> Iterator[object]:
        for name in _SAME_VALUE:
            found = node.get(name)
            if isinstance(found, str):
                yield self._target(node, found)
            elif isinstance(found, list):
                yield from found
            elif isinstance(found, dict):
                yield from found.values() if name == "dependentSchemas" else (found,)

    def _target(self, node: Node, reference: str) -> Node | None:
        named = self._anchors.get((id(self._base[id(node)]), reference.removeprefix("#")))
        return named or self._pointed(node, reference)

    def _pointed(self, node: Node, reference: str) -> Node | None:
        """What a JSON pointer leads to (RFC 6901 section 6)."""
        found: Any = self._base[id(node)]
        for part in unquote(reference.removeprefix("#")).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and name.isdecimal() and len(name) < 6 and int(name) < len(found):
                found = found[int(name)]
            else:
                found = found.get(name) if isinstance(found, dict) else None
        is_pointer = reference == "#" or reference.startswith("#/")
        return found if is_pointer and isinstance(found, dict) else None

    def _read(self) -> None:
        waiting: list[tuple[Any, Node]] = [(self._root, self._root)]
        while waiting:
            node, base = waiting.pop()
            if isinstance(node, dict):
                base = node if isinstance(node.get("$id"), str) else base
                self._base[id(node)] = base
                for name in ("$anchor", "$dynamicAnchor"):
                    if isinstance(node.get(name), str):
                        self._anchors[id(base), node[name]] = node
            waiting.extend((each, base) for each in _parts(node))

    def _nodes(self) -> Iterator[Node]:
        waiting: list[Any] = [self._root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict):
                yield node
            waiting.extend(_parts(node))


def _parts(node: object) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []
