"""The answer to one message: JSON, or events from the first one that comes before the result."""

from proxy.entrypoints.mcp.caller import Reply, as_json
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.responder import Responder
from proxy.pipeline.call import RawHeaders

_SHARED = (("cache-control", "no-store"), ("vary", "Origin"))
# nginx and others would hold events back (2026-07-28, streamable HTTP)
_EVENTS = (("content-type", "text/event-stream"), *_SHARED, ("x-accel-buffering", "no"))


class EventStream:
    """Where messages before the result go; `is_open` tells whether the client takes any."""

    def __init__(self, responder: Responder, headers: RawHeaders) -> None:
        accept = b",".join(value for name, value in headers if name == b"accept")
        self.is_open = any(part.partition(b";")[0].strip() == b"text/event-stream" for part in accept.split(b","))
        self._responder = responder

    @property
    def has_begun(self) -> bool:
        """Whether its status is gone."""
        return self._responder.started

    async def keep_alive(self) -> None:
        """Send a comment, which clients pass over, so that nobody between takes the silence for an end."""
        await self._send(b":\n\n")

    async def tell(self, message: JsonObject) -> None:
        """Send a message at once; waits while the client does not read."""
        await self._send(_event(as_json(message)))

    async def end(self, reply: Reply) -> None:
        """Send what ends the answer: after events as the last one, else as JSON with its status and headers."""
        content = reply.written()
        if self._responder.started:
            await self._responder.body(_event(content) if content else b"", more=False)
            return
        typed = (("content-type", "application/json"),) if content else ()
        framing = (("content-length", str(len(content))), *_SHARED)
        await self._responder.whole(reply.status, (*typed, *framing, *reply.headers), content)

    async def _send(self, content: bytes) -> None:
        if not self._responder.started:
            await self._responder.start(200, _EVENTS)
        await self._responder.body(content, more=True)


def _event(content: bytes) -> bytes:
    return b"event: message\ndata: " + content + b"\n\n"
