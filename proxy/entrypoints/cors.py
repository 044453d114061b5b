"""Cross-origin answers of the data plane (Fetch standard): listed origins only, never with credentials."""

from collections.abc import Collection

from proxy.entrypoints.responder import Responder
from proxy.pipeline.call import Headers, RawHeaders, Received
from proxy.pipeline.identify import Identifier
from proxy.refusals import RateLimited

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
REQUEST_HEADERS = (
    "Authorization, Content-Type, Accept, Accept-Language, X-API-Key, Idempotency-Key, If-Match, If-None-Match, "
    "MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID, traceparent"
)
EXPOSED = "WWW-Authenticate, X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, Mcp-Session-Id, ETag, Location"
PREFLIGHT_MAX_AGE_S = 600


class Cors:
    """Knows the origins whose pages may read answers."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = {origin.encode(): origin for origin in origins}

    def headers(self, request_headers: RawHeaders) -> Headers:
        """What lets the caller's page read the answer; empty for a caller without, or with a foreign, Origin."""
        origin = self._allowed(request_headers)
        if origin is None:
            return ()
        return (("access-control-allow-origin", origin), ("access-control-expose-headers", EXPOSED))

    def preflight(self, request_headers: RawHeaders) -> Headers:
        """The answer to OPTIONS: the same for every path, so that it says nothing about what is registered."""
        shared = (("allow", METHODS), ("vary", "Origin"), ("cache-control", "no-store"), ("content-length", "0"))
        origin = self._allowed(request_headers)
        if origin is None:
            return shared
        return (
            *shared,
            ("access-control-allow-origin", origin),
            ("access-control-allow-methods", METHODS),
            ("access-control-allow-headers", REQUEST_HEADERS),
            ("access-control-max-age", str(PREFLIGHT_MAX_AGE_S)),
        )

    def _allowed(self, request_headers: RawHeaders) -> str | None:
        sent = [value for name, value in request_headers if name == b"origin"]
        return self._origins.get(sent[0]) if len(sent) == 1 else None


async def answer_options(cors: Cors, identifier: Identifier, received: Received, responder: Responder) -> None:
    """Answer OPTIONS here, at a rate: no backend is asked, and no event is written."""
    try:
        identifier.admit_options(received.address)
    except RateLimited as refusal:
        await responder.problem(refusal)
    else:
        await responder.whole(204, cors.preflight(received.headers))
