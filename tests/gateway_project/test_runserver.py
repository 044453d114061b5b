"""`runserver` as any Django developer expects it to work: no variable is set but where the data is."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.gateway_project.processes import wait_until
from tests.journeys.server import ROOT, environment, free_port

# Whoever runs the tests in the background has interrupts ignored, and a process passes that on to its children
INTERRUPTIBLE = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@contextmanager
def runserver(data_dir: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run the command until the block ends; the process and what it prints."""
    log = data_dir / "runserver.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTIBLE, "manage.py", "runserver", *arguments],
            cwd=ROOT,
            env=environment(DATA_DIR=str(data_dir)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process, log
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def issuer_at(port: int) -> str:
    """What the server at `port` calls itself, "" while nobody answers."""
    try:
        url = f"http://127.0.0.1:{port}/.well-known/oauth-authorization-server"
        return str(httpx.get(url, timeout=2).json()["issuer"])
    except httpx.TransportError:
        return ""


def test_both_roads_are_served_and_the_issuer_follows_the_address(prepared: Path) -> None:
    port = free_port()
    with runserver(prepared, f"127.0.0.1:{port}", "--noreload"):
        wait_until(lambda: issuer_at(port) == f"http://127.0.0.1:{port}")
        assert httpx.get(f"http://127.0.0.1:{port}/api/v1/gpt/jobs/search", timeout=5).status_code == 401
        assert httpx.get(f"http://127.0.0.1:{port}/accounts/login/", timeout=5).status_code == 200


def test_a_change_of_the_code_starts_it_anew_and_an_interrupt_ends_it(prepared: Path) -> None:
    port, watched = free_port(), ROOT / "gateway_project" / "development.py"

    def noticed() -> bool:
        # Again and again: a change before the watcher's first look is none
        os.utime(watched)
        return "development.py changed, reloading" in log.read_text()

    with runserver(prepared, str(port)) as (process, log):
        wait_until(lambda: bool(issuer_at(port)))
        wait_until(noticed)
        wait_until(lambda: log.read_text().count("Gatehouse at") >= 2)
        wait_until(lambda: bool(issuer_at(port)))
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 0
        wait_until(lambda: not issuer_at(port))


def test_without_migrations_it_says_what_to_run(tmp_path: Path) -> None:
    with runserver(tmp_path, str(free_port())) as (process, log):
        assert process.wait(60) == 1
        assert "Run: python manage.py migrate" in log.read_text()


def test_an_address_that_is_none_is_refused(prepared: Path) -> None:
    with runserver(prepared, "localhost:http") as (process, log):
        assert process.wait(60) == 1
        assert "neither a port nor an address:port" in log.read_text()
