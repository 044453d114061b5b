"""The numbers of the other workers: each writes its own to a file now and then, and whoever is asked adds them up.

The files of one server stand in a folder named after its machine and its parent process, so that a server that starts
finds none of an earlier one; those of a worker that died stay until then, because what it counted has happened.
"""

import json
import os
import shutil
import socket
from pathlib import Path

import structlog

from gateway_project.measured import Numbers, from_json

FOLDER = "metrics"
# Of /proc/<pid>/stat what follows the name: the process's start, in ticks since the machine's, is the 22nd field
_STARTED = 19
log = structlog.get_logger(__name__)


class WorkerNumbers:
    """The files of the workers of this server."""

    def __init__(self, data_dir: Path) -> None:
        self._all = data_dir / FOLDER / socket.gethostname()
        self._folder = self._all / _named(os.getppid())
        self._mine = self._folder / f"{_named(os.getpid())}.json"

    def write(self, numbers: Numbers) -> None:
        """Tell the others; a disk that does not take it costs numbers, never calls."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._mine.with_suffix(".new")
            draft.write_text(json.dumps(numbers.as_json()))
            draft.replace(self._mine)
        except OSError as fault:
            log.warning("metrics_not_shared", fault=type(fault).__name__)

    def others(self) -> list[Numbers]:
        """What they have told; of one that runs no more only what it counted."""
        found = (_read(path) for path in sorted(self._folder.glob("*.json")) if path != self._mine)
        return [numbers for numbers in found if numbers is not None]

    def clear(self) -> None:
        """Remove what servers of this machine that run no more have left."""
        for folder in self._all.glob("*"):
            if not _runs(folder.name):
                shutil.rmtree(folder, ignore_errors=True)


def _read(path: Path) -> Numbers | None:
    try:
        numbers = from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return numbers if _runs(path.stem) else Numbers(numbers.counters, numbers.histograms)


def _named(pid: int) -> str:
    """A process by a name that no later one has: its id and its start, where the system tells it."""
    try:
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_STARTED]
    except (OSError, IndexError):
        started = "0"
    return f"{pid}-{started}"


def _runs(name: str) -> bool:
    pid = name.partition("-")[0]
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        pass
    except (OSError, ValueError, OverflowError):
        return False
    return _named(int(pid)) == name
