"""A deliberately naive proxy, against which the rows must bite: one shared client, headers passed through, URLs joined.

It is what one writes in an hour. Nothing of it is used by the product.
"""

import json
import os
from http.cookies import SimpleCookie
from typing import Any

import httpx

from proxy.entrypoints.asgi_types import Receive, Scope, Send

USERS: dict[str, str] = json.loads(os.environ.get("NAIVE_USERS", "{}"))
NOT_PASSED = {"host", "content-length", "transfer-encoding"}
NOT_RETURNED = {"content-length", "content-encoding", "transfer-encoding"}
client = httpx.AsyncClient(base_url=os.environ.get("NAIVE_UPSTREAM", ""), timeout=3, verify=False)  # noqa: S501 - naive


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI 3."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    user = USERS.get(_token(scope, dict(headers)))
    parts = scope["path"].split("/", 4)
    if parts[1:3] != ["api", "v1"] or (user is None and parts[3] == "jobs"):
        await _answer(send, 401 if user is None else 404, [], b"no")
        return
    passed = [(name, value) for name, value in headers if name not in NOT_PASSED]
    # An absolute path or URL in the target wins over the base URL: httpx joins them as a browser would
    target = [*scope["raw_path"].decode("latin-1").split("/", 4), ""][4]
    response = await client.request(
        scope["method"],
        f"{target}?{scope['query_string'].decode('latin-1')}",
        headers=[*passed, ("x-user-id", user or "nobody")],
        content=await _body(receive),
    )
    returned = [(name, value) for name, value in response.headers.multi_items() if name not in NOT_RETURNED]
    await _answer(send, response.status_code, returned, response.content)


def _token(scope: Scope, headers: dict[str, str]) -> str:
    asked = httpx.QueryParams(scope["query_string"].decode("latin-1")).get("access_token", "")
    cookie = SimpleCookie(headers.get("cookie", "")).get("access_token")
    return headers.get("authorization", "").removeprefix("Bearer ") or asked or (cookie.value if cookie else "")


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        piece: bytes = message.get("body", b"")
        body += piece
        if not message.get("more_body"):
            return body


async def _answer(send: Send, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    lines: list[Any] = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    lines.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
