"""The demo backends as a child process that never outlives the gateway."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from django.conf import settings

from gateway_project.demo.stop import stop

HOST = "127.0.0.1"
READY_WITHIN_S = 10.0
STOPPED_WITHIN_S = 5.0


class BackendsDidNotStart(Exception):
    """The child ended, or does not answer."""


@contextlib.contextmanager
def demo_backends(port: int) -> Iterator[Callable[[], None]]:
    """Serve the demo backends on 127.0.0.1:`port` until the block ends; yields how to wait until they answer.

    The child notices when this process is gone, even if it was killed. It has a process group of its own: Ctrl-C in a
    terminal stops the gateway first, whose last calls may still need it.
    """
    command = [sys.executable, "-m", "gateway_project.demo.backends", "--port", str(port), "--parent", str(os.getpid())]
    child = subprocess.Popen(command, cwd=settings.BASE_DIR, process_group=0)  # noqa: S603 - our own module
    try:
        yield partial(_wait_until_ready, child, port)
    finally:
        stop(child, within_s=STOPPED_WITHIN_S)


def _wait_until_ready(child: subprocess.Popen[bytes], port: int) -> None:
    """Return once they accept connections.

    Raises:
        BackendsDidNotStart: they never will.
    """
    deadline = time.monotonic() + READY_WITHIN_S
    while child.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.02)
    raise BackendsDidNotStart(f"The demo backends do not answer on {HOST}:{port}.")
