"""The backend `echo`: answers any request with what it received, so that everybody can see what the gateway sent."""

from typing import Any

from gateway_project.demo.backends.answers import answer_json, read_body


async def echo(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own shapes
    """Answer with method, path, raw query, headers (a repeated one joined by a comma) and body."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    received = {
        "method": scope["method"],
        "path": (scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
        "query": scope["query_string"].decode("latin-1"),
        "headers": headers,
        "body": (await read_body(receive)).decode("utf-8", "replace"),
    }
    await answer_json(send, received)
