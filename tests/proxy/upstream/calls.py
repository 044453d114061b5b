"""Calls through a transport, in one line each."""

import math
from collections.abc import AsyncIterator

from proxy.pipeline.call import SAFE_METHODS
from proxy.upstream.transport import Transport, UpstreamRequest, UpstreamResponse
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import RawBackend


def request(
    method: str = "GET", target: str = "/jobs", *headers: tuple[str, str], body: object = None
) -> UpstreamRequest:
    """A request ready to be sent."""
    may_repeat = method in SAFE_METHODS and not isinstance(body, AsyncIterator)
    return UpstreamRequest(method, target, headers, body, deadline=math.inf, may_repeat=may_repeat)  # type: ignore[arg-type]


async def whole(response: UpstreamResponse) -> bytes:
    """The rest of a body; lets the connection go."""
    content = b""
    while piece := await response.read():
        content += piece
    await response.aclose()
    return content


async def get(transport: Transport, backend: RawBackend, *args: object, **kwargs: object) -> tuple[int, bytes]:
    """Status and body of one call."""
    response = await transport.send(backend_plan(backend.url), request(*args, **kwargs))  # type: ignore[arg-type]
    return response.status, await whole(response)


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    """A body in pieces."""
    for piece in content:
        yield piece
