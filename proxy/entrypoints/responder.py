"""Writes one HTTP answer to ASGI; its head goes out with its first bytes, so that a late refusal is still possible."""

from collections.abc import Sequence
from functools import lru_cache

from proxy.entrypoints.asgi_types import Send
from proxy.entrypoints.problem import render
from proxy.pipeline.call import Headers
from proxy.refusals import BadRequest, Refusal

_NOSNIFF = (b"x-content-type-options", b"nosniff")
_CLOSE = (("connection", "close"),)


class Responder:
    """One answer. `shared` headers go on every answer, whatever it says."""

    def __init__(self, send: Send, *, request_id: str, shared: Headers = (), head_only: bool = False) -> None:
        self._send = send
        self._request_id = request_id
        self._shared = _encoded((("x-request-id", request_id), *shared))
        self._head_only = head_only
        self.started = False

    async def start(self, status: int, headers: Headers) -> None:
        """Send the head."""
        await self._start(status, _encoded(headers))

    async def _start(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self.started = True
        raw = [*headers, *self._shared, _NOSNIFF]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def body(self, chunk: bytes, *, more: bool) -> None:
        """Send some of the body; waits while the client does not read."""
        content = b"" if self._head_only else chunk
        await self._send({"type": "http.response.body", "body": content, "more_body": more})

    async def whole(self, status: int, headers: Headers, content: bytes = b"") -> None:
        """Send a complete answer."""
        await self.start(status, headers)
        await self.body(content, more=False)

    async def broken_off(self) -> None:
        """The request ended inside its body: said to whoever may still listen, in place of the server's own 500."""
        if not self.started:
            await self.problem(BadRequest("The body ends early, or its chunks cannot be read.", headers=_CLOSE))

    async def problem(self, refusal: Refusal) -> None:
        """Send a refusal."""
        headers, content = render(refusal, request_id=self._request_id)
        await self._start(refusal.status, _encoded_again(headers))
        await self.body(content, more=False)


# Those of one refusal after the other are the same
@lru_cache(maxsize=256)
def _encoded_again(headers: Headers) -> list[tuple[bytes, bytes]]:
    return _encoded(headers)


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
