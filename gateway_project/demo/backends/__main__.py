"""Serve the demo backends: `python -m gateway_project.demo.backends [--host HOST] [--port PORT]`."""

import argparse
import asyncio
import os
import signal

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from gateway_project.demo.backends.application import DemoBackends

LOOK_EVERY_S = 0.2


def main() -> None:
    """Serve until SIGINT or SIGTERM; with --parent no longer than that process lives."""
    parser = argparse.ArgumentParser(description="The demo backends careers and echo.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--parent", type=int, metavar="PID", help="stop when this process, our parent, is gone")
    options = parser.parse_args()
    asyncio.run(_serve(options.host, options.port, parent=options.parent))


async def _serve(host: str, port: int, *, parent: int | None) -> None:
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
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(_stop_with(parent, server)) if parent else None
        await server.serve()
        if watch:
            watch.cancel()


async def _stop_with(parent: int, server: Server) -> None:
    # A pipe would do, were its other end not copied into the workers the parent forks
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells us
        await asyncio.sleep(LOOK_EVERY_S)
    server.stop()  # type: ignore[no-untyped-call]  # granian is not annotated


if __name__ == "__main__":
    main()
