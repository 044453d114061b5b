"""Callers at a started gateway, many at once, each of whom knows which answer is theirs."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One call: its mark, the status (0: the connection ended), the head and body of the answer, and the seconds."""

    mark: str
    status: int
    head: str
    body: bytes
    took_s: float

    def header(self, name: str) -> str:
        """A header's value, "" without it."""
        lines = (line.partition(":") for line in self.head.split("\r\n")[1:])
        return next((value.strip() for found, _, value in lines if found.lower() == name), "")


def together(port: int, marks: Iterator[str], request: Callable[[str], bytes], *, callers: int) -> list[Heard]:
    """Send one request for every mark from so many connections, and return all that was heard."""

    async def run() -> list[Heard]:
        heard: list[Heard] = []
        await asyncio.gather(*(_caller(port, marks, request, heard) for _number in range(callers)))
        return heard

    return asyncio.run(run())


async def _caller(port: int, marks: Iterator[str], request: Callable[[str], bytes], heard: list[Heard]) -> None:
    wire: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    for mark in marks:
        started = time.monotonic()
        try:
            wire = wire or await asyncio.open_connection("127.0.0.1", port)
            wire[1].write(request(mark))
            async with asyncio.timeout(40):
                head, body = await _answer(wire[0])
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            head, body = "", b""
        status = int(head.split(" ", 2)[1]) if head else 0
        heard.append(Heard(mark=mark, status=status, head=head, body=body, took_s=time.monotonic() - started))
        if wire is not None and (not head or "connection: close" in head.lower()):
            wire[1].close()
            wire = None
        if not head:
            await asyncio.sleep(0.05)
    if wire is not None:
        wire[1].close()
        with contextlib.suppress(ConnectionError):
            await wire[1].wait_closed()


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    if "transfer-encoding" not in fields:
        return head, await reader.readexactly(int(fields.get("content-length", "0")))
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return head, body
