"""A TCP server that leaves no connection behind when it ends, whatever its clients still owe each other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

HOST = "127.0.0.1"
# Whoever was just accepted comes to be served so many turns of the event loop later
ACCEPTED_WITHIN = 3
LINE_MAX = 65_536
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, *, port: int = 0, limit: int = LINE_MAX) -> AsyncIterator[int]:
    """Call `serve` with every connection while the block lasts: the port, a free one unless told.

    `limit` is how many bytes a reader holds.
    """
    writers: list[asyncio.StreamWriter] = []

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await serve(reader, writer)

    server = await asyncio.start_server(served, HOST, port, limit=limit)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for _turn in range(ACCEPTED_WITHIN):
            await asyncio.sleep(0)
            while writers:
                await _abort(writers.pop())
        await server.wait_closed()


async def _abort(writer: asyncio.StreamWriter) -> None:
    # Whatever nobody reads any more would keep a connection half closed for ever. One that was closed with bytes still
    # to send, and has sent them since, must not be aborted: CPython 3.11 takes it for one that still has an event loop
    if not writer.is_closing() or writer.transport.get_write_buffer_size():
        writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()
