"""The demo as a program finds it: served already, or started for as long as it is needed."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import httpx
from django.conf import settings

from gateway_project.demo.facts import Facts, read_facts
from gateway_project.demo.stop import stop

READY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 40.0


class NoDemo(Exception):
    """The demo does not answer and could not be started, or is another one; the message says which."""


@contextlib.contextmanager
def running_demo(say: Callable[[str], object]) -> Iterator[Facts]:
    """The demo's demo.json, while it answers; when it is not running it is started, which is said, and stopped again.

    Raises:
        NoDemo: see there.
    """
    with _client() as client:
        is_ready = _is_ready(client)
    if is_ready:
        yield _facts()
        return
    say("The demo is not running: starting it …")
    # Its addresses and passwords are printed by whoever serves it for longer
    command = [sys.executable, "manage.py", "demo", "--serve"]
    child = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, process_group=0)  # noqa: S603 - our own command
    try:
        _wait_until_ready(child)
        yield _facts()
    finally:
        stop(child, within_s=STOPPED_WITHIN_S)


def _client() -> httpx.Client:
    return httpx.Client(base_url=settings.PUBLIC_BASE_URL, timeout=2, trust_env=False)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _wait_until_ready(child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    # One for all: each would read every authority that is trusted, and keep from its start what it waits for
    with _client() as client:
        while time.monotonic() < deadline:
            if child.poll() is not None:
                raise NoDemo(f"The demo ended with {child.returncode}; what it said stands above. Try: make run")
            if _is_ready(client):
                return
            time.sleep(0.1)
    raise NoDemo(f"The demo was not ready within {READY_WITHIN_S:.0f} s. Try: make run")


def _facts() -> Facts:
    facts = read_facts()
    if facts.get("issuer") != settings.PUBLIC_BASE_URL:
        raise NoDemo(f"{settings.DATA_DIR} has no demo.json of {settings.PUBLIC_BASE_URL}: is DATA_DIR the demo's?")
    return facts
