"""A backend of large bodies: it keeps none of what it is sent, and makes up what it sends."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.tcp_server import listening

BLOCK = b"x" * 65_536


@contextmanager
def bulk() -> Iterator[int]:
    """Its port; it runs in a thread."""
    ports: list[int] = []
    loops: list[asyncio.AbstractEventLoop] = []
    ready, ending = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with listening(_serve, limit=1 << 20) as port:
            ports.append(port)
            loops.append(asyncio.get_running_loop())
            ready.set()
            await ending.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield ports[0]
    finally:
        loops[0].call_soon_threadsafe(ending.set)
        thread.join(10)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _version = head.split("\r\n")[0].split(" ")
        if method == "POST":
            await _swallow(reader, writer, head)
        elif "events" in target:
            await _events(writer)
        else:
            await _pour(writer, int(target.rpartition("?")[2]))
    writer.close()


async def _swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
    length = next(int(line[16:]) for line in head.split("\r\n") if line.lower().startswith("content-length: "))
    taken = 0
    while taken < length and (piece := await reader.read(1 << 18)):
        taken += len(piece)
    body = json.dumps({"taken": taken}).encode()
    await _write(writer, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def _pour(writer: asyncio.StreamWriter, size: int) -> None:
    await _write(writer, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
    for _number in range(size // len(BLOCK)):
        await _write(writer, BLOCK)


async def _events(writer: asyncio.StreamWriter) -> None:
    await _write(writer, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n")
    for _number in range(3):
        await asyncio.sleep(0.2)
        await _write(writer, b"data: %.6f\n\n" % time.monotonic())


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
