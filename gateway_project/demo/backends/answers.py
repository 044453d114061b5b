"""Read a whole body, answer with JSON: all that a demo backend does on the wire."""

import json
from typing import Any


async def read_body(receive: Any) -> bytes:  # noqa: ANN401 - ASGI's own shape
    """The whole body; the gateway has limited it already."""
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


async def answer_json(send: Any, document: object, *, status: int = 200) -> None:  # noqa: ANN401 - ASGI's own shape
    """Send `document` as the whole answer."""
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
