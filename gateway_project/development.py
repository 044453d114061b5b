"""Serve the gateway inside this very process, for `runserver`: as in production, without worker processes."""

import asyncio

from django.conf import settings
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from gateway_project.asgi import application
from gateway_project.bootstrap import bootstrap
from gateway_project.listening import require_free
from gateway_project.server import HEADER_TIMEOUT_MS, READ_BUFFER_BYTES


def serve_here() -> None:
    """Serve on HOST:PORT for as long as the process lives.

    Raises:
        PortTaken: somebody else listens there.
        NotReadyToServe: the database is not migrated, or the environment cannot be followed.
    """
    environment = settings.ENVIRONMENT
    require_free(environment.HOST, environment.PORT)
    bootstrap()
    asyncio.run(_serve(environment.HOST, environment.PORT))


async def _serve(host: str, port: int) -> None:
    await Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=READ_BUFFER_BYTES),
        websockets=False,
        log_enabled=False,
    ).serve()
