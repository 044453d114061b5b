"""A caller that speaks ASGI: sends what a test says, keeps what comes back, leaves when told to."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from proxy.entrypoints.asgi_types import Application, Message, Scope

ADDRESS = "203.0.113.9"
HOST = ("host", "127.0.0.1:8000")


def http_scope(method: str, target: str, *headers: tuple[str, str], **changes: Any) -> Scope:
    """The scope of a request as granian makes it."""
    path, _question, query = target.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": (ADDRESS, 40000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    return scope | changes


@dataclass
class Exchange:
    """One request and whatever of its answer has been sent so far."""

    request_id: str = field(default_factory=lambda: str(uuid4()))
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    complete: bool = False
    _incoming: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    _sent: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def body(self) -> bytes:
        """What of the body has arrived."""
        return b"".join(self.chunks)

    def values(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for other, value in self.headers if other == name]

    def header(self, name: str) -> str:
        """The value of a header that must be there exactly once."""
        (value,) = self.values(name)
        return value

    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    def sends(self, *chunks: bytes, more: bool = False) -> None:
        """Deliver some of the request body, and its end unless there is `more`."""
        for index, content in enumerate(chunks):
            is_last = index == len(chunks) - 1
            self._incoming.put_nowait({"type": "http.request", "body": content, "more_body": more or not is_last})

    def leaves(self) -> None:
        """Close the connection."""
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def until(self, condition: Callable[["Exchange"], bool]) -> None:
        """Wait until the answer has come as far as `condition` says."""
        async with asyncio.timeout(5), self._sent:
            await self._sent.wait_for(lambda: condition(self))

    async def receive(self) -> Message:
        """ASGI's receive."""
        return await self._incoming.get()

    async def send(self, message: Message) -> None:
        """ASGI's send."""
        assert not self.complete, "a message after the last one"
        if message["type"] == "http.response.start":
            assert not self.status, "a second head"
            self.status = message["status"]
            self.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            assert self.status, "a body before its head"
            self.chunks.append(message.get("body", b""))
            self.complete = not message.get("more_body", False)
        async with self._sent:
            self._sent.notify_all()


Begun = tuple[Exchange, asyncio.Task[None]]


def begin(
    application: Application,
    method: str,
    target: str,
    *headers: tuple[str, str],
    body: Sequence[bytes] | None = (b"",),
    **changes: Any,
) -> Begun:
    """Send one request, with what the front door knows of it; its body comes later when it is None.

    A body whose length no header announces comes in chunks.
    """
    exchange = Exchange()
    if body is not None:
        exchange.sends(*body)
    is_announced = any(name.lower() in {"content-length", "transfer-encoding"} for name, _value in headers)
    if body != (b"",) and not is_announced:
        headers = (*headers, ("transfer-encoding", "chunked"))
    scope = http_scope(method, target, *headers, **changes)
    scope["state"] = {"request_id": exchange.request_id, "address": ADDRESS}

    async def run() -> None:
        await application(scope, exchange.receive, exchange.send)

    return exchange, asyncio.create_task(run())


async def call(
    application: Application, method: str, target: str, *headers: tuple[str, str], **changes: Any
) -> Exchange:
    """Send one request and wait for its whole answer."""
    exchange, running = begin(application, method, target, *headers, **changes)
    await asyncio.wait_for(running, 10)
    return exchange
