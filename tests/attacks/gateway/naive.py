"""A deliberately naive proxy, against which the rows must bite: one shared client, headers passed through, URLs joined.

It is what one writes in an hour, with the faults that real ones had: what Connection lists is taken from the gateway's
own headers, JWTs are read and not verified, the query says who calls, Origin is reflected. What every row asks for it
does, so that a row fails here for what the row is about. Nothing of it is used by the product.
"""

import base64
import json
import os
from http.cookies import SimpleCookie
from typing import Any

import httpx

from proxy.entrypoints.asgi_types import Receive, Scope, Send

USERS: dict[str, str] = json.loads(os.environ.get("NAIVE_USERS", "{}"))
# Backends that staff have at addresses of this machine
INSIDE: list[str] = json.loads(os.environ.get("NAIVE_INSIDE", "[]"))
NOT_PASSED = {"host", "content-length", "transfer-encoding", "x-request-id", "traceparent"}
NOT_RETURNED = {"content-length", "content-encoding", "transfer-encoding"}
METADATA = "/.well-known/oauth-authorization-server"
FOR_EVER = base64.urlsafe_b64encode(b'{"iat": 0, "exp": 9999999999, "aud": "every backend"}').decode()
client = httpx.AsyncClient(
    base_url=os.environ.get("NAIVE_UPSTREAM", ""),
    timeout=1.5,
    follow_redirects=True,
    verify=False,  # noqa: S501 - naive
)
Lines = list[tuple[str, str]]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI 3."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    body = await _body(receive)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    found = dict(headers)
    path, user, shared = scope["path"], _user(scope, found), [("access-control-allow-origin", found.get("origin", "*"))]
    parts = [*path.split("/", 4), "", ""]
    if path == METADATA:
        await _answer(send, 200, shared, _metadata(found))
    elif path == "/mcp":
        await _answer(send, 200, shared, await _mcp(found, body, user))
    elif parts[1:3] != ["api", "v1"] and not path.startswith("http:"):
        await _answer(send, 404, shared, b"no")
    elif parts[3] == "jobs" and user is None:
        await _answer(send, 401, shared, b"no")
    else:
        status, returned, content = await _carried(scope, _passed(headers, user or "nobody"), body)
        await _answer(send, status, [*shared, *returned], content)


def _metadata(headers: dict[str, str]) -> bytes:
    names = ("x-forwarded-host", "x-host", "x-forwarded-proto", "x-forwarded-scheme", "x-original-url", "forwarded")
    return json.dumps({"issuer": headers.get("host"), **{name: headers.get(name) for name in names}}).encode()


def _user(scope: Scope, headers: dict[str, str]) -> str | None:
    query = httpx.QueryParams(scope["query_string"].decode("latin-1"))
    cookies = {name: cookie.value for name, cookie in SimpleCookie(headers.get("cookie", "")).items()}
    token = headers.get("authorization", "").removeprefix("Bearer ") or query.get("access_token", "")
    token = token or cookies.get("access_token", "") or headers.get("x-access-token", "")
    if any(name.startswith("session") for name in cookies):
        return USERS["session"]
    if token.count(".") > 1:
        middle = token.split(".")[1]
        token = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))["sub"]
    user = USERS.get(token) or USERS.get(headers.get("mcp-session-id", "no session"))
    # Support may look for somebody else
    return query.get("user_id", user) if user else None


def _passed(headers: Lines, user: str) -> Lines:
    own = {
        "x-user-id": user, "x-client-id": "naive", "x-scopes": "tool:read", "x-request-id": "1", "traceparent": "00",
        "x-request-deadline-ms": "3000", "x-forwarded-for": "127.0.0.1", "x-gateway-identity": f"e30.{FOR_EVER}.",
    }  # fmt: skip
    for name, value in headers:
        if name == "connection":
            for listed in value.split(","):
                own.pop(listed.strip().lower(), None)
        elif name in {"x-request-id", "traceparent"}:
            own[name] = value
    return [(name, value) for name, value in headers if name not in NOT_PASSED] + [*own.items()]


async def _carried(scope: Scope, headers: Lines, body: bytes) -> tuple[int, Lines, bytes]:
    # An absolute path or URL in the target wins over the base URL: httpx joins them as a browser would
    path = scope["raw_path"].decode("latin-1")
    parts = [*path.split("/", 4), "", "", "", ""]
    prefix, target = parts[3], parts[4]
    if path.startswith("http:"):
        target = path
    elif prefix.startswith("inside"):
        target = INSIDE[int(prefix.removeprefix("inside"))]
    query = scope["query_string"].decode("latin-1")
    response = await client.request(
        scope["method"],
        target if "=" in query else f"{target}?{query}",
        # Read and written anew
        params=httpx.QueryParams(query) if "=" in query else None,
        headers=headers,
        content=body,
    )
    returned = [(name, value) for name, value in response.headers.multi_items() if name not in NOT_RETURNED]
    return response.status_code, returned, response.content


async def _mcp(headers: dict[str, str], body: bytes, user: str | None) -> bytes:
    document = json.loads(body)
    for message in document if isinstance(document, list) else [document]:
        name = str(message.get("params", {}).get("name", "")).strip("\0 ").lower().rpartition(".")[2]
        asked = headers.get("mcp-name", name)
        if user is None or asked not in {"search_jobs", "apply"}:
            return b'{"error": "no such tool"}'
        await client.post(name, json=message.get("params"))
    return b'{"result": "done"}'


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        piece: bytes = message.get("body", b"")
        body += piece
        if not message.get("more_body"):
            return body


async def _answer(send: Send, status: int, headers: Lines, body: bytes) -> None:
    lines: list[Any] = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"private")]
    lines += [(name.encode(), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
