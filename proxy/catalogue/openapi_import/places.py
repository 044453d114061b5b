"""Where an operation is below the backend's prefix: its path, without what the backend's own address says already."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from proxy.catalogue.openapi_import.references import Source, items, objects, text
from proxy.catalogue.paths import DOCUMENT_PATHS, BadTemplate, compile_template
from proxy.catalogue.tools import JsonObject

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_UNFIT = re.compile(r"[^A-Za-z0-9_]")


class NoPlace(Exception):
    """The path cannot be an operation's; the message says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A path below the prefix; `names` are its parameters', as the document has them and as we do."""

    path: str
    names: Mapping[str, str]


class Places:
    """Finds them for one document and one backend, whose own base path is `base` ("" or `/api/v2`)."""

    def __init__(self, source: Source, *, base: str) -> None:
        self._source = source
        self._base = base
        self.notes: set[str] = set()

    def of(self, path: str, *, item: JsonObject, operation: JsonObject) -> Place:
        """Where `path` is.

        Raises:
            NoPlace: the gateway has no such paths.
        """
        base = self._server_path(item, operation)
        whole = base + path
        if base == self._base or not whole.startswith(f"{self._base}/"):
            below = path
            if base not in {"", self._base}:
                facts = {"server": base, "base": self._base}
                words = _(
                    "The document's server is at %(server)s, the backend at %(base)s: paths are taken as below it."
                )
                self.notes.add(words % facts)
        else:
            below = whole.removeprefix(self._base)
            if base.startswith(f"{self._base}/"):
                added = base.removeprefix(self._base)
                self.notes.add(_("Paths begin with %(added)s, after the document's server.") % {"added": added})
        return _place(below)

    def _server_path(self, item: JsonObject, operation: JsonObject) -> str:
        levels = (operation, item, self._source.root)
        servers = next((found for level in levels if (found := items(level.get("servers"), where="servers"))), [])
        if not servers:
            return ""
        server = objects(servers[0], where="servers")
        variables = objects(server.get("variables"), where="variables")

        def default(match: re.Match[str]) -> str:
            return text(objects(variables.get(match[1]), where="variables").get("default"))

        try:
            return urlsplit(_VARIABLE.sub(default, text(server.get("url")))).path.rstrip("/")
        except ValueError:
            return ""


def _place(path: str) -> Place:
    names: dict[str, str] = {}
    for part in path.split("/"):
        if part.startswith("{") and part.endswith("}") and part.count("{") == 1:
            names[part[1:-1]] = _name(part[1:-1], names)
    written = "/".join(f"{{{names[part[1:-1]]}}}" if part[1:-1] in names else part for part in path.split("/"))
    if written in DOCUMENT_PATHS:
        raise NoPlace(_("The gateway's own OpenAPI document is at this path: choose another one."))
    try:
        compile_template(written)
    except BadTemplate as fault:
        raise NoPlace(_(str(fault))) from None
    return Place(written, names)


def _name(own: str, taken: Mapping[str, str]) -> str:
    # Ours are names of variables too; nobody sees them on the wire
    name = _UNFIT.sub("_", own)[:60] or "part"
    name = f"_{name}" if name[0].isdigit() else name
    while name in taken.values():
        name += "_"
    return name
