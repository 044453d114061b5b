"""A PostgreSQL and a Redis of a test's own, which can stand still, or be gone, for a while."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tests.attacks.gateway.memory import family
from tests.journeys.server import free_port

STARTED_WITHIN_S = 20.0
BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path())


class Store:
    """A server that `command` starts and `ends_by` ends at once; `url` is how the gateway reaches it."""

    def __init__(self, url: str, command: Sequence[str], folder: Path, *, ends_by: signal.Signals) -> None:
        self.url = url
        self._ends_by = ends_by
        self._command = command
        self._folder = folder
        self._process = self._started()

    def stands_still(self, seconds: float) -> None:
        """It and all its processes do nothing; connections to it stay open."""
        for number in (signal.SIGSTOP, signal.SIGCONT):
            self.signal(number)
            time.sleep(seconds if number == signal.SIGSTOP else 0)

    def is_gone(self, seconds: float) -> None:
        """It ends at once, without a word to anybody; nobody listens until it is started again."""
        self._process.send_signal(self._ends_by)
        self._process.wait(20)
        time.sleep(seconds)
        self._process = self._started()
        self._wait()

    def end(self) -> None:
        """For good."""
        self.signal(signal.SIGCONT)
        self._process.send_signal(signal.SIGINT)
        self._process.wait(20)

    def _started(self) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self._folder, start_new_session=True)

    def _wait(self) -> None:
        """Until somebody listens again, so that nobody else is held responsible for what did not start."""
        port, until = urlsplit(self.url).port, time.monotonic() + STARTED_WITHIN_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port or 0), timeout=1):
                return
            log = (self._folder / "log").read_text()[-2000:]
            assert self._process.poll() is None, f"it ended with {self._process.poll()}:\n{log}"
            assert time.monotonic() < until, f"it does not listen:\n{log}"
            time.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        """Send it to the server and all its processes."""
        for member in family(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, number)


@contextlib.contextmanager
def own_postgresql(folder: Path) -> Iterator[Store]:
    """A cluster in `folder`, with an empty database."""
    port, data = free_port(), folder / "cluster"
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if as_user:
        for place in (folder, *folder.parents):
            if str(place).count("/") > 1:
                place.chmod(place.stat().st_mode | 0o011)
        shutil.chown(folder, "postgres")
    run = [*as_user, str(BIN / "initdb"), "--auth=trust", "--username=gatehouse", "--no-sync", str(data)]
    subprocess.run(run, check=True, capture_output=True, cwd=folder)
    serve = [*as_user, str(BIN / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder), "-F"]
    # Its own way to end without finishing anything: killed, it would leave processes behind
    store = Store(f"postgresql://gatehouse@127.0.0.1:{port}/gatehouse", serve, folder, ends_by=signal.SIGQUIT)
    try:
        until = time.monotonic() + 30
        while not _made(port):
            assert time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.1)
        yield store
    finally:
        store.end()


def _made(port: int) -> bool:
    psql = [str(BIN / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "gatehouse", "-d", "postgres"]
    made = subprocess.run([*psql, "-c", "CREATE DATABASE gatehouse"], check=False, capture_output=True)
    return made.returncode == 0


@contextlib.contextmanager
def own_redis(folder: Path) -> Iterator[Store]:
    """A Redis that keeps nothing."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    # Started from a shell's background it ignores SIGQUIT
    store = Store(f"redis://127.0.0.1:{port}/0", command, folder, ends_by=signal.SIGKILL)
    try:
        yield store
    finally:
        store.end()
