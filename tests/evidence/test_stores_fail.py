"""A worker killed, PostgreSQL or Redis frozen while people write: nothing without its event, nothing twice."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.attacks.gateway.field import JOBS, Field
from tests.attacks.gateway.gateways import ours, run_with
from tests.attacks.gateway.memory import family
from tests.evidence.load import Heard, together
from tests.journeys.server import free_port

pytestmark = pytest.mark.services

BODY = b'{"job":"1"}'
LOAD_S, FAULT_S = 8.0, 3.0
# One call in ten is made with a token that was revoked before
REVOKED = "7"
BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path())


@contextlib.contextmanager
def own_postgresql(folder: Path) -> Iterator[tuple[str, int]]:
    """The URL and the process id of a cluster of its own."""
    port, data, sockets = free_port(), folder / "cluster", folder
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if as_user:
        for place in (folder, *folder.parents):
            if str(place).count("/") > 1:
                place.chmod(place.stat().st_mode | 0o011)
        shutil.chown(folder, "postgres")
    run = [*as_user, str(BIN / "initdb"), "--auth=trust", "--username=gatehouse", "--no-sync", str(data)]
    subprocess.run(run, check=True, capture_output=True, cwd=folder)
    serve = [*as_user, str(BIN / "postgres"), "-D", str(data), "-p", str(port), "-k", str(sockets), "-F"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(serve, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        wait_for(lambda: _made(port))
        yield f"postgresql://gatehouse@127.0.0.1:{port}/gatehouse", process.pid
    finally:
        for member in family(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _made(port: int) -> bool:
    psql = [str(BIN / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "gatehouse", "-d", "postgres"]
    made = subprocess.run([*psql, "-c", "CREATE DATABASE gatehouse"], check=False, capture_output=True)
    return made.returncode == 0


@contextlib.contextmanager
def own_redis(folder: Path) -> Iterator[tuple[str, int]]:
    """The URL and the process id of a Redis of its own."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield f"redis://127.0.0.1:{port}/0", process.pid
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(20)


def wait_for(happened: Callable[[], bool], *, within_s: float = 20.0) -> None:
    """Wait until it has happened."""
    until = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Field, int, int]]:
    """A gateway on a PostgreSQL and a Redis of its own, and their process ids."""
    folder = tmp_path_factory.mktemp("stores")
    (folder / "postgresql").mkdir()
    (folder / "redis").mkdir()
    with (
        own_postgresql(folder / "postgresql") as (database, postgres),
        own_redis(folder / "redis") as (url, redis),
        ours(folder / "gateway", DATABASE_URL=database, REDIS_URL=url) as field,
    ):
        yield field, postgres, redis


def under_load(field: Field, fault: Callable[[], None]) -> tuple[list[Heard], list[str]]:
    """Write for a while, with a fault in the middle; what was heard, and the request id of every effect."""
    before, until = len(field.backend.arrived), time.monotonic() + LOAD_S
    run = f"{time.monotonic_ns()}"
    marks = itertools.takewhile(lambda _m: time.monotonic() < until, (f"w{run}-{n}" for n in itertools.count()))
    timer = threading.Timer(1.5, fault)
    timer.start()

    def write(mark: str) -> bytes:
        token = "TREV" if mark.endswith(REVOKED) else "TW"
        return field.post(f"Content-Length: {len(BODY)}", target=f"{JOBS}/v1/applications?{mark}", token=token) + BODY

    heard = together(field.port, marks, write, callers=8)
    timer.join()
    effects = [arrived for arrived in field.backend.arrived[before:] if arrived.line.startswith("POST")]
    twice = [target for target, times in Counter(arrived.target for arrived in effects).items() if times > 1]
    assert twice == []
    return heard, [arrived.header("x-request-id") for arrived in effects]


def judge(field: Field, heard: list[Heard], effects: list[str]) -> None:
    """Every carried answer has its final event, every effect its intent, and what failed said so."""
    print(Counter(one.status for one in heard), f"slowest {max(one.took_s for one in heard):.1f} s")
    assert {one.status for one in heard} <= {0, 200, 401, 502, 503, 504}
    assert all(one.mark.encode() in one.body for one in heard if one.status == 200)
    assert [one for one in heard if one.mark.endswith(REVOKED) and one.status not in {0, 401, 503}] == []
    assert sum(one.status == 200 for one in heard) > 50
    wait_for(lambda: heals(field), within_s=40)
    field.healthy(200)
    answered = [one.header("x-request-id") for one in heard if one.status == 200]
    known: dict[str, list[str]] = json.loads(run_with(field.variables, "tests.evidence.phases"))
    assert [found for found in answered if "final" not in known.get(found, [])] == []
    assert [found for found in effects if found not in known] == []


def heals(field: Field) -> bool:
    """Whether a call is carried again."""
    try:
        return field.call().status == 200
    except (AssertionError, OSError):
        return False


def frozen(process_id: int) -> Callable[[], None]:
    """A fault: a server and all its processes stand still for a while."""

    def freeze() -> None:
        members = family(process_id)
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for member in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(member, number)
            time.sleep(FAULT_S if number == signal.SIGSTOP else 0)

    return freeze


def test_a_worker_that_is_killed(stores: tuple[Field, int, int]) -> None:
    field, _postgres, _redis = stores

    def kill() -> None:
        workers = [
            member for member in family(field.process_id)[1:]
            if b"demo.backends" not in Path(f"/proc/{member}/cmdline").read_bytes()
            and b"tracker" not in Path(f"/proc/{member}/cmdline").read_bytes()
        ]  # fmt: skip
        os.kill(workers[-1], signal.SIGKILL)

    judge(field, *under_load(field, kill))


def test_postgresql_that_stands_still(stores: tuple[Field, int, int]) -> None:
    field, postgres, _redis = stores
    judge(field, *under_load(field, frozen(postgres)))


def test_redis_that_stands_still(stores: tuple[Field, int, int]) -> None:
    field, _postgres, redis = stores
    judge(field, *under_load(field, frozen(redis)))
