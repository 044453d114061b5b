"""Who sent a request, and what goes back."""

from dataclasses import dataclass

from proxy.catalogue.plans import ServerPlan
from proxy.catalogue.snapshot import Snapshot
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.pipeline.call import Headers, Principal, Received


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
    """What goes out; no document, no body."""

    document: JsonObject | None
    status: int = 200
    headers: Headers = ()
