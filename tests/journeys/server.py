"""The real server as an operator starts it: own process group, own loopback ports, own data directory."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests import migrated

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 120.0
STOPPED_WITHIN_S = 40.0


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running gateway; `ready_after_s` is the time from its start to the first ready answer."""

    issuer: str
    process: subprocess.Popen[bytes]
    log: Path
    ready_after_s: float


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A gateway with demo data; `facts` is its demo.json."""

    server: Server
    facts: dict[str, Any]

    @property
    def issuer(self) -> str:
        """The bare origin, as the server names itself."""
        return self.server.issuer

    def user(self, name: str) -> dict[str, Any]:
        """The demo user called `name`."""
        return next(user for user in self.facts["users"] if user["username"] == name)

    def client(self, key: str) -> dict[str, Any]:
        """The demo client `gpt`, `public` or `service`."""
        client: dict[str, Any] = self.facts["clients"][key]
        return client


def free_port() -> int:
    """A loopback port that is free, with a free successor for the demo backends.

    Below those that the system gives to whoever asks for any: a server that is started anew finds its own still free.
    """
    while True:
        # Not of `random`, which begins alike in every process of a run
        port = SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError):
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port


def environment(**variables: str) -> dict[str, str]:
    """Only what is given, and what any process needs: nothing leaks in from the test run's own settings."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return inherited | {"PYTHONUNBUFFERED": "1"} | variables


def manage(*arguments: str, variables: Mapping[str, str]) -> str:
    """Run a management command to its end and return what it printed.

    Raises:
        AssertionError: it failed; the message holds its output.
    """
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@contextlib.contextmanager
def running(
    *command: str, issuer: str, log: Path, variables: Mapping[str, str], ready: str = "/readyz"
) -> Iterator[Server]:
    """Run `python <command>` until the block ends, entered once it answers 200 at the path `ready`."""
    started = time.monotonic()
    with serving([sys.executable, *command], ready=f"{issuer}{ready}", log=log, variables=variables) as process:
        yield Server(issuer=issuer, process=process, log=log, ready_after_s=time.monotonic() - started)


@contextlib.contextmanager
def serving(
    command: Sequence[str],
    *,
    ready: str,
    log: Path,
    variables: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` in a process group of its own until the block ends, entered once `ready` answers 200."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(**(variables or {})),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, url=ready, log=log, headers=headers)
        yield process
    finally:
        _stop(process)


@contextlib.contextmanager
def running_demo(data_dir: Path, *, port: int | None = None, **variables: str) -> Iterator[Demo]:
    """`make run` without the installation: the demo on `data_dir`, kept between two runs on the same directory."""
    data_dir.mkdir(parents=True, exist_ok=True)
    database = data_dir / migrated.NAME
    if "DATABASE_URL" not in variables and not database.exists():
        migrated.copy_sqlite(database)
    chosen = port or free_port()
    issuer = f"http://127.0.0.1:{chosen}"
    settings = {"HOST": "127.0.0.1", "PORT": str(chosen), "DATA_DIR": str(data_dir)} | variables
    command = ("manage.py", "demo", "--serve")
    with running(*command, issuer=issuer, log=data_dir / "server.log", variables=settings) as server:
        yield Demo(server=server, facts=json.loads((data_dir / "demo.json").read_text()))


def _wait_until_ready(
    process: subprocess.Popen[bytes], *, url: str, log: Path, headers: Mapping[str, str] | None
) -> None:
    deadline, parts = time.monotonic() + READY_WITHIN_S, urlsplit(url)
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}:\n{_tail(log)}"
        with contextlib.suppress(OSError, httpx.TransportError):
            # Most looks come too soon, and httpx takes fifty times as long to learn that nobody listens
            socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=2).close()
            if httpx.get(url, timeout=2, headers=headers).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"not ready within {READY_WITHIN_S:.0f} s:\n{_tail(log)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for step in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, step)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOPPED_WITHIN_S)
            break


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-40:])
