"""One message of a known caller to one MCP server."""

from dataclasses import dataclass

from audit.ledger.recorder import Recorder
from proxy.catalogue.plans import ServerPlan
from proxy.entrypoints.mcp.caller import Caller, Reply
from proxy.entrypoints.mcp.messages import JsonObject, Message
from proxy.entrypoints.mcp.revisions import Revision
from proxy.entrypoints.mcp.session import Session, SessionOver
from proxy.entrypoints.mcp.stream import EventStream
from proxy.pipeline.call import Headers, Received
from proxy.pipeline.record import Record
from proxy.pipeline.run import Gateway


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message and whoever sent it; `record` is that of the request which carried it.

    What comes before the result goes to `stream`; `session` is what a client with a handshake has at the server behind.
    """

    caller: Caller
    message: Message
    revision: Revision
    record: Record
    stream: EventStream
    gateway: Gateway
    recorder: Recorder
    session: Session | None = None

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

    async def progress(self, number: int, words: str) -> bool:
        """Tell the client how far its call is, and whether it was told: only who gave a token for it hears of it."""
        token = self.message.meta.get("progressToken")
        if token is None or not self.stream.is_open:
            return False
        params = {"progressToken": token, "progress": number, "message": words}
        await self.stream.tell({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
        return True

    def result(self, result: JsonObject, *, headers: Headers = ()) -> Reply:
        """The reply that holds `result`."""
        return Reply({"jsonrpc": "2.0", "id": self.message.request_id, "result": result}, headers=headers)

    async def answered(self, result: JsonObject) -> Reply:
        """The reply of a method that this server answers by itself, once its event is durable.

        Raises:
            RateLimited, AuditUnavailable: see there.
            SessionOver: its client ended the session that it shows. What goes on to a server hears that from there.
        """
        self.record.asked = self.message.method
        limits = await self.counted()
        if self.session is not None and await self.gateway.ended_sessions.has(self.session.digest):
            raise SessionOver
        await self.record.answered()
        return self.result(result, headers=limits)

    async def counted(self) -> Headers:
        """Count the message as a call, and tell what is left; what goes through the six stages is counted there.

        Raises:
            RateLimited: nothing was.
        """
        return await self.gateway.limits.count_message(self.caller.principal, self.caller.received)
