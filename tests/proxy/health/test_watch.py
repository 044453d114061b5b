"""Backends are checked without being asked, each by one process at a time."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import ClassVar

import pytest
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from proxy.catalogue.models import Backend
from proxy.health import watch
from proxy.health.check import check_backends
from proxy.health.models import BackendCheck
from proxy.health.watch import HealthWatch
from tests.small_server import answering

EVERY_S = 60


class Counting(BaseHTTPRequestHandler):
    """Says yes, and to whom."""

    asked: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        """Answer nothing, successfully."""
        self.asked.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(204)
        self.end_headers()


@pytest.fixture
def asked(db: None) -> Iterator[list[dict[str, str]]]:
    """The headers of every check that reached a backend."""
    del db
    Counting.asked.clear()
    with answering(Counting) as server:
        stored("up", server.server_port)
        yield Counting.asked


def stored(name: str, port: int, *, enabled: bool = True) -> Backend:
    """A backend on this machine."""
    url = f"http://127.0.0.1:{port}"
    return Backend.objects.create(
        name=name, prefix=f"/api/v1/{name}", upstream_url=url, allow_private=True, enabled=enabled
    )


def time_passes(seconds: float) -> None:
    """What was found was found so much earlier."""
    for check in BackendCheck.objects.all():
        check.checked_at -= timedelta(seconds=seconds)
        check.save()


def test_each_backend_is_checked_once_in_a_while_by_whoever_comes_first(asked: list[dict[str, str]]) -> None:
    stored("off", 9, enabled=False)
    processes = [HealthWatch(every_s=EVERY_S) for _process in range(3)]
    for process in processes:
        process.turn()
    assert len(asked) == 1
    assert not {"authorization", "cookie", "x-user-id", "x-gateway-identity"} & asked[0].keys()
    assert [(check.backend.name, check.reachable) for check in BackendCheck.objects.all()] == [("up", True)]
    time_passes(EVERY_S + 1)
    for process in processes:
        process.turn()
    assert len(asked) == 2


def test_every_process_knows_who_was_not_reached(asked: list[dict[str, str]]) -> None:
    del asked
    down = stored("down", 9)
    checks, knows = HealthWatch(every_s=EVERY_S), HealthWatch(every_s=EVERY_S)
    checks.turn()
    knows.turn()
    assert checks.unreachable == knows.unreachable == {"down"}
    BackendCheck.objects.filter(backend=down).update(reachable=True, checked_at=timezone.now())
    knows.turn()
    assert knows.unreachable == set()


def test_what_another_process_has_begun_is_left_to_it(
    asked: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = HealthWatch(every_s=EVERY_S), HealthWatch(every_s=EVERY_S)
    first.turn()
    time_passes(EVERY_S + 1)

    def meanwhile(*, backends: list[Backend]) -> object:
        second.turn()
        return check_backends(backends=backends)

    monkeypatch.setattr(watch, "check_backends", meanwhile)
    first.turn()
    assert len(asked) == 2


def test_nobody_asks_unless_it_is_wanted() -> None:
    never = HealthWatch(every_s=0)
    never.start()
    assert "backend-health" not in {thread.name for thread in threading.enumerate()}
    never.stop()


def test_the_thread_outlives_whatever_goes_wrong(
    monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> None:
    turns: list[int] = []

    def turn(_self: HealthWatch) -> None:
        turns.append(1)
        raise DatabaseError if len(turns) == 1 else ValueError

    monkeypatch.setattr(watch, "TURN_MAX_S", 0.01)
    monkeypatch.setattr(HealthWatch, "turn", turn)
    with django_db_blocker.unblock():
        process = HealthWatch(every_s=EVERY_S)
        process.start()
        until = time.monotonic() + 5
        while len(turns) < 4:
            assert time.monotonic() < until
            time.sleep(0.01)
        process.stop()
    assert "backend-health" not in {thread.name for thread in threading.enumerate()}
