"""The numbers of the other workers: each writes its own to a file now and then, and whoever is asked adds them up.

The files of one server stand in a folder named after its parent process, so that a server that starts finds none of
an earlier one; those of a worker that died stay until then, because what it counted has happened.
"""

import json
import os
import shutil
from pathlib import Path

import structlog

from gateway_project.measured import Numbers, from_json

FOLDER = "metrics"
log = structlog.get_logger(__name__)


class WorkerNumbers:
    """The files of the workers of this server."""

    def __init__(self, data_dir: Path) -> None:
        self._all = data_dir / FOLDER
        self._folder = self._all / str(os.getppid())
        self._mine = self._folder / f"{os.getpid()}.json"

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
        """Remove what servers that run no more have left."""
        for folder in self._all.glob("*"):
            if not _runs(folder.name):
                shutil.rmtree(folder, ignore_errors=True)


def _read(path: Path) -> Numbers | None:
    try:
        numbers = from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return numbers if _runs(path.stem) else Numbers(numbers.counters, numbers.histograms)


def _runs(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return True
