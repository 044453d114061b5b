"""The backend of the benchmark where nginx is not installed."""

from collections.abc import Awaitable, Callable
from typing import Any

from bench.servers import ANSWER

_BODY = ANSWER.encode()
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]


async def answer(_scope: dict[str, Any], _receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Answer anything with the same document."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})
