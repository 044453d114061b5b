"""Load from wrk, and what it measured."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_CALLS = re.compile(r"^\s+([0-9]+) requests in ", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([0-9.]+)$", re.MULTILINE)
_PERCENTILE = re.compile(r"^\s+(50|99)%\s+([0-9.]+)(us|ms|s)$", re.MULTILINE)
_ERRORS = re.compile(r"^\s+(?:Non-2xx or 3xx responses|Socket errors): .*$", re.MULTILINE)
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class FailedAnswers(RuntimeError):
    """Some answers were not a success: what was measured is not what was meant."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many requests, how many a second, and the time of an answer in milliseconds: median and 99th percentile."""

    calls: int
    rate: float
    p50_ms: float
    p99_ms: float


def load(
    url: str,
    *,
    connections: int,
    seconds: int,
    core: int,
    headers: tuple[str, ...] = (),
    script: Path | None = None,
) -> Load:
    """Ask for `url` over and over from processor `core`; `script` says how the requests differ.

    Raises:
        FailedAnswers: an answer was refused or missing.
    """
    flags = [flag for header in headers for flag in ("-H", header)]
    flags += ["-s", str(script)] if script is not None else []
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s", *flags, url]
    printed = subprocess.run(["taskset", "-c", str(core), *command], check=True, capture_output=True, text=True).stdout
    if failed := _ERRORS.search(printed):
        raise FailedAnswers(f"{url}: {failed.group().strip()}")
    calls, rate = _CALLS.search(printed), _RATE.search(printed)
    times = {percent: float(value) * _MILLISECONDS[unit] for percent, value, unit in _PERCENTILE.findall(printed)}
    if calls is None or rate is None or set(times) != {"50", "99"}:
        raise FailedAnswers(f"{url}: wrk printed no result:\n{printed}")
    return Load(calls=int(calls.group(1)), rate=float(rate.group(1)), p50_ms=times["50"], p99_ms=times["99"])
