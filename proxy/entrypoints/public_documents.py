"""Documents that anybody may read: no credential, no cookie, any origin, and a while in a cache."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import structlog

from proxy.entrypoints.asgi_types import Receive, Scope, Send
from proxy.entrypoints.responder import Responder
from proxy.pipeline.call import Headers
from proxy.refusals import Crash, MethodNotAllowed, Refusal

log = structlog.get_logger(__name__)
_METHODS = "GET, HEAD, OPTIONS"
_ANY_ORIGIN: Headers = (("access-control-allow-origin", "*"), ("vary", "Origin"))


@dataclass(frozen=True, slots=True)
class Document:
    """One of them. `max_age_s`: how long it may be kept."""

    media_type: str
    content: bytes
    max_age_s: int


class PublicDocuments(ABC):
    """An ASGI application that serves them."""

    @abstractmethod
    async def document(self, scope: Scope) -> Document:
        """The document that a GET asks for. Raises Refusal."""

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"]
        shared: Headers = (("access-control-allow-origin", "*"),)
        responder = Responder(send, request_id=scope["state"]["request_id"], head_only=method == "HEAD")
        if method == "OPTIONS":
            allowed = (("access-control-allow-methods", _METHODS), ("access-control-allow-headers", "*"))
            kept = ("cache-control", "public, max-age=300")
            await responder.whole(204, (kept, *_ANY_ORIGIN, *allowed, ("content-length", "0")))
            return
        try:
            found = await self._found(scope)
        except Refusal as refusal:
            refusal.headers = (*refusal.headers, *shared)
            await responder.problem(refusal)
            return
        kept = ("cache-control", f"public, max-age={found.max_age_s}")
        size = ("content-length", str(len(found.content)))
        await responder.whole(200, (("content-type", found.media_type), size, kept, *_ANY_ORIGIN), found.content)

    async def _found(self, scope: Scope) -> Document:
        if scope["method"] not in {"GET", "HEAD"}:
            raise MethodNotAllowed(headers=(("allow", _METHODS),))
        try:
            return await self.document(scope)
        except Refusal:
            raise
        except Exception as fault:
            log.exception("document_crashed", request_id=scope["state"]["request_id"])
            raise Crash from fault
