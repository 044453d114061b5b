"""Serve the gateway: granian, one process type, as many workers as the environment says."""
# ruff: noqa: E402 - Django's registry must be ready before anything with a model is imported

import os
import resource

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")

import django

django.setup()

from django.conf import settings
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings

from gateway_project.bootstrap import bootstrap
from gateway_project.listening import require_free

APPLICATION = "gateway_project.asgi:application"
HEADER_TIMEOUT_MS = 10_000
# A request head may have 32 KiB; the parser needs room to see that one is longer
READ_BUFFER_BYTES = 131_072
STOP_TIMEOUT_S = 30
# Of one worker. Whoever only holds connections open must hold more than these before anybody waits for one; how many
# requests are carried is decided at the front door
CONNECTIONS_MAX = 8192
BACKLOG = 2048
# Files beside connections of clients: those to backends and stores, the database itself
OTHER_FILES = 1024


def serve(*, workers: int) -> None:
    """Serve on HOST:PORT until SIGINT or SIGTERM, then let running calls end."""
    environment = settings.ENVIRONMENT
    connections = _connections_max()
    Granian(
        APPLICATION,
        address=environment.HOST,
        port=environment.PORT,
        interface=Interfaces.ASGI,
        workers=workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=READ_BUFFER_BYTES),
        loop=Loops.asyncio,
        backlog=min(connections, BACKLOG),
        backpressure=connections,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_TIMEOUT_S,
        log_dictconfig=settings.LOGGING,
        log_access=False,
    ).serve()


def _connections_max() -> int:
    """As many as there can be files for, once the limit of this process is as high as it may set it itself."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + OTHER_FILES
    if files == resource.RLIM_INFINITY:
        return CONNECTIONS_MAX
    if files < wanted:
        files = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    return max(OTHER_FILES // 2, min(CONNECTIONS_MAX, files - OTHER_FILES))


def main() -> None:
    """Bring what the environment describes into being, then serve."""
    require_free(settings.ENVIRONMENT.HOST, settings.ENVIRONMENT.PORT)
    bootstrap()
    serve(workers=settings.WEB_CONCURRENCY)


if __name__ == "__main__":
    main()
