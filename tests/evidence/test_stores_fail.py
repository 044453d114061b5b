"""A worker killed, PostgreSQL or Redis frozen or gone while people write: nothing without its event, nothing twice."""

import contextlib
import itertools
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.attacks.gateway.conversation import Conversation
from tests.attacks.gateway.field import JOBS, Field
from tests.attacks.gateway.gateways import ours, run_with
from tests.attacks.gateway.memory import family
from tests.evidence.load import Heard, together
from tests.evidence.stores import Store, own_postgresql, own_redis
from tests.proxy.raw_backend import silence

pytestmark = pytest.mark.services

BODY = b'{"job":"1"}'
LOAD_S, FAULT_S = 8.0, 3.0
# One call in ten is made with a token that was revoked before
REVOKED = "7"
# How long a call may last, and how soon after that somebody closes what is left of it
LEFT_OPEN_S = 75.0
Stores = tuple[Field, Store, Store]


def wait_for(happened: Callable[[], bool], *, within_s: float = 20.0, every_s: float = 0.1) -> None:
    """Wait until it has happened."""
    until = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < until
        time.sleep(every_s)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """A gateway on a PostgreSQL and a Redis of its own, and these."""
    folder = tmp_path_factory.mktemp("stores")
    (folder / "postgresql").mkdir()
    (folder / "redis").mkdir()
    with (
        own_postgresql(folder / "postgresql") as postgresql,
        own_redis(folder / "redis") as redis,
        ours(folder / "gateway", DATABASE_URL=postgresql.url, REDIS_URL=redis.url) as field,
    ):
        yield field, postgresql, redis


def write(field: Field, mark: str, *, token: str = "TW") -> bytes:
    """A call that changes something."""
    return field.post(f"Content-Length: {len(BODY)}", target=f"{JOBS}/v1/applications?{mark}", token=token) + BODY


def under_load(field: Field, fault: Callable[[], None]) -> tuple[list[Heard], list[str]]:
    """Write for a while, with a fault in the middle; what was heard, and the request id of every effect."""
    before, until = len(field.backend.arrived), time.monotonic() + LOAD_S
    run = f"{time.monotonic_ns()}"
    marks = itertools.takewhile(lambda _m: time.monotonic() < until, (f"w{run}-{n}" for n in itertools.count()))
    timer = threading.Timer(1.5, fault)
    timer.start()

    def one(mark: str) -> bytes:
        return write(field, mark, token="TREV" if mark.endswith(REVOKED) else "TW")

    heard = together(field.port, marks, one, callers=8)
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
    known = phases(field)
    assert [found for found in answered if "final" not in known.get(found, [])] == []
    assert [found for found in effects if found not in known] == []


def phases(field: Field) -> dict[str, list[str]]:
    """What the ledger has of every call, by request id."""
    known: dict[str, list[str]] = json.loads(run_with(field.variables, "tests.evidence.phases"))
    return known


def heals(field: Field) -> bool:
    """Whether a call is carried again."""
    try:
        return field.call().status == 200
    except (AssertionError, OSError):
        return False


def kill_a_worker(field: Field) -> None:
    """The fault: a process that carries calls ends in the middle of them."""
    workers = [
        member for member in family(field.process_id)[1:]
        if b"demo.backends" not in Path(f"/proc/{member}/cmdline").read_bytes()
        and b"tracker" not in Path(f"/proc/{member}/cmdline").read_bytes()
    ]  # fmt: skip
    os.kill(workers[-1], signal.SIGKILL)


def test_a_worker_that_is_killed(stores: Stores) -> None:
    field, _postgresql, _redis = stores
    judge(field, *under_load(field, partial(kill_a_worker, field)))


def test_postgresql_that_stands_still(stores: Stores) -> None:
    field, postgresql, _redis = stores
    judge(field, *under_load(field, partial(postgresql.stands_still, FAULT_S)))


def test_postgresql_that_is_gone(stores: Stores) -> None:
    field, postgresql, _redis = stores
    judge(field, *under_load(field, partial(postgresql.is_gone, FAULT_S)))


def test_redis_that_stands_still(stores: Stores) -> None:
    field, _postgresql, redis = stores
    judge(field, *under_load(field, partial(redis.stands_still, FAULT_S)))


def test_redis_that_is_gone(stores: Stores) -> None:
    field, _postgresql, redis = stores
    judge(field, *under_load(field, partial(redis.is_gone, FAULT_S)))


def test_what_a_killed_worker_left_open_is_closed_as_unknown(stores: Stores) -> None:
    field, _postgresql, _redis = stores
    before = len(field.backend.arrived)
    field.backend.says(silence)
    try:
        with contextlib.ExitStack() as stack:
            for number in range(5):
                stack.enter_context(Conversation(field.port)).write(write(field, f"left-{number}"))
            wait_for(lambda: len(field.backend.arrived) >= before + 5)
            kill_a_worker(field)
    finally:
        field.backend.says(field.usual)
    left = [arrived.header("x-request-id") for arrived in field.backend.arrived[before:]]
    assert [phases(field)[request_id] for request_id in left] == [["intent"]] * 5
    wait_for(lambda: heals(field), within_s=40)
    # Nothing that any of these faults interrupted stays without an end
    # To ask is to start a process
    wait_for(lambda: all("final" in each for each in phases(field).values()), within_s=LEFT_OPEN_S, every_s=4.0)
    known = phases(field)
    assert [known[request_id] for request_id in left] == [["intent", "final"]] * 5
