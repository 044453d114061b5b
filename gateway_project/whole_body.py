"""A body read whole before Django sees the request: bounded in size and time."""

import asyncio

from proxy.entrypoints.asgi_types import Message, Receive, Scope
from proxy.entrypoints.body import RequestBody
from proxy.limits.concurrency import AwaitedBodies
from proxy.refusals import TooLarge

# For all of it: one that keeps the least rate would hold its place for a quarter of an hour
READ_WITHIN_S = 30.0


def has_body(scope: Scope) -> bool:
    """Whether the head announces one (RFC 9112 section 6.3)."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
        for name, value in scope["headers"]
    )


async def read_whole(scope: Scope, receive: Receive, *, limit: int, awaited: AwaitedBodies) -> Receive:
    """A `receive` that delivers the body at once, then whatever comes after it.

    Raises:
        TooLarge: it has, or announces, more than `limit` bytes.
        RequestTimeout: it arrives too slowly, or not within READ_WITHIN_S, or too many of its address do.
        ClientGone: the client left.
    """
    announced = next((int(value) for name, value in scope["headers"] if name == b"content-length"), None)
    if announced is not None and announced > limit:
        raise TooLarge(limit)
    until = asyncio.get_running_loop().time() + READ_WITHIN_S
    coming = RequestBody(receive, length=announced, awaited=awaited, address=scope["state"]["address"])
    body = await coming.open(limit=limit, until=until)
    content = body or b"" if body is None or isinstance(body, bytes) else b"".join([chunk async for chunk in body])
    pending: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
