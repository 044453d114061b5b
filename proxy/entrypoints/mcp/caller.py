"""Who sent a request, and what goes back."""

import json
from dataclasses import dataclass
from typing import Final

from proxy.catalogue.plans import ServerPlan
from proxy.catalogue.snapshot import Snapshot
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.pipeline.call import Headers, Principal, Received

# Of the list, of the result, of the document
_END: Final = b"]}}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request to which server: what is known before its message is read."""

    received: Received
    server: ServerPlan
    snapshot: Snapshot
    principal: Principal

    @property
    def held(self) -> frozenset[str]:
        """The scopes of the token that staff have enabled."""
        return self.principal.scopes & self.snapshot.enabled_scopes


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out; no document, no body.

    `entries` are those of the list with which the document ends, empty there: each was written as JSON before.
    """

    document: JsonObject | None
    status: int = 200
    headers: Headers = ()
    entries: tuple[str, ...] = ()

    def written(self) -> bytes:
        """The document as it is sent."""
        if self.document is None:
            return b""
        content = as_json(self.document)
        if not self.entries:
            return content
        return b"".join([content.removesuffix(_END), ",".join(self.entries).encode("utf-8", "replace"), _END])


def as_json(document: JsonObject) -> bytes:
    """A message as it is sent: in one line, whatever stands in it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
