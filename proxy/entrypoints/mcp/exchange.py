"""One message of a known caller to one MCP server, and the reply to it."""

from dataclasses import dataclass

from audit.ledger.recorder import Recorder
from proxy.catalogue.plans import ServerPlan
from proxy.catalogue.snapshot import Snapshot
from proxy.entrypoints.mcp.messages import JsonObject, Message
from proxy.entrypoints.mcp.revisions import Revision
from proxy.pipeline.call import Headers, Principal, Received
from proxy.pipeline.record import Record
from proxy.pipeline.run import Gateway


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


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message and whoever sent it; `record` is that of the request which carried it."""

    caller: Caller
    message: Message
    revision: Revision
    record: Record
    gateway: Gateway
    recorder: Recorder

    @property
    def server(self) -> ServerPlan:
        """The server that was called."""
        return self.caller.server

    def inner_record(self, received: Received) -> Record:
        """The record of the call that the message stands for; it takes the place of that of the request around it."""
        self.record.closed = True
        return Record(
            recorder=self.recorder,
            received=received,
            audience=self.server.resource,
            observation=self.gateway.observation,
        )

    def result(self, result: JsonObject, *, headers: Headers = ()) -> Reply:
        """The reply that holds `result`."""
        return Reply({"jsonrpc": "2.0", "id": self.message.request_id, "result": result}, headers=headers)

    async def answered(self, result: JsonObject) -> Reply:
        """The reply of a method that this server answers by itself, once its event is durable.

        Raises:
            RateLimited, AuditUnavailable: see there.
        """
        self.record.asked = self.message.method
        limits = await self.counted()
        await self.record.answered()
        return self.result(result, headers=limits)

    async def counted(self) -> Headers:
        """Count the message as a call, and tell what is left; what goes through the six stages is counted there.

        Raises:
            RateLimited: nothing was.
        """
        return await self.gateway.limits.count_message(self.caller.principal, self.caller.received)
