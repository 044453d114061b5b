"""Serve the demo backends: `python -m gateway_project.demo.backends [--host HOST] [--port PORT]`."""

import argparse
import asyncio
import signal
import sys
import threading

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from gateway_project.demo.backends.application import DemoBackends


def main() -> None:
    """Serve until SIGINT or SIGTERM, or with --until-stdin-closes until whoever started us is gone."""
    parser = argparse.ArgumentParser(description="The demo backends careers and echo.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when the other end of stdin is closed")
    options = parser.parse_args()
    asyncio.run(_serve(options.host, options.port, watch_stdin=options.until_stdin_closes))


async def _serve(host: str, port: int, *, watch_stdin: bool) -> None:
    server = Server(
        DemoBackends(),
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    if watch_stdin:
        threading.Thread(target=_when_stdin_closes, args=(loop, server), daemon=True).start()
    await server.serve()


def _when_stdin_closes(loop: asyncio.AbstractEventLoop, server: Server) -> None:
    # The kernel closes it however the parent ends, SIGKILL included
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(server.stop)


if __name__ == "__main__":
    main()
