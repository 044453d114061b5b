"""The name that a tool or prompt of an MCP backend has at /mcp, beside those of all others: given once."""

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from proxy.catalogue.mcp_backends.features import PROMPT, TOOL
from proxy.catalogue.mcp_backends.models import Definition
from proxy.catalogue.models import Operation

MAX: Final = 64
_DIGESTS: Final = (8, 16, 32)
_OTHER: Final = re.compile(r"[^A-Za-z0-9_-]")


def candidates(backend: str, feature: str, name: str) -> Iterator[str]:
    """Names at /mcp, the best first: backend and name as they are, then with more and more of a digest of both."""
    full = f"{backend}_{name}"
    plain = _OTHER.sub("_", full)
    if plain == full and len(full) <= MAX:
        yield full
    digest = hashlib.sha256(f"{backend}/{feature}/{name}".encode()).hexdigest()
    for length in _DIGESTS:
        yield f"{plain[: MAX - length - 1]}_{digest[:length]}"


class ExposedNames:
    """Gives names that nobody has, as far as the catalogue knows now."""

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self._taken = {feature: taken(feature) for feature in (TOOL, PROMPT)}

    def new(self, feature: str, name: str) -> str:
        """A name for one more; "" for what has none: resources keep their URI."""
        used = self._taken.get(feature)
        if used is None:
            return ""
        found = next((each for each in candidates(self._backend, feature, name) if each not in used), "")
        used.add(found)
        return found


def taken(feature: str) -> set[str]:
    """The names of tools or prompts that are given."""
    found = set(Definition.objects.filter(feature=feature).values_list("exposed_name", flat=True))
    if feature == TOOL:
        found |= {name for name in Operation.objects.values_list("tool_name", flat=True) if name}
    return found
