"""The watcher's threads: what another worker changed is here within a second, and a lost database is found again."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis
from django.db import DatabaseError, connection
from pytest_django import Settings

from oauth_provider.revisions.bump import CHANNEL, bump
from proxy.catalogue import watch
from proxy.catalogue.models import Backend
from proxy.catalogue.watch import Watcher
from tests.proxy.committed import committed, db

__all__ = ["committed", "db"]

TABLE = "oauth_provider_revision"
SELDOM_S = 60


def until(condition: Callable[[], bool]) -> None:
    """Wait for `condition`, for as long as a busy machine may need and a fraction of what `SELDOM_S` would take."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < 5, "it never came true"
        time.sleep(0.005)


def add(name: str) -> None:
    """Store a backend without announcing it."""
    Backend.objects.create(name=name, prefix=f"/api/v1/{name}", upstream_url="https://jobs.example")


@pytest.fixture
def watcher(db: None) -> Iterator[Watcher]:
    """A running watcher that has seen all there is: its first reading makes the signing key, which is a change."""
    del db
    running = Watcher()
    running.start()
    running.refresh()
    yield running
    running.stop()


def test_the_first_call_finds_a_catalogue(watcher: Watcher) -> None:
    assert watcher.fresh
    assert watcher.snapshot.revision >= 0


def test_this_process_hears_of_its_own_changes_before_the_next_poll(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    del db
    monkeypatch.setattr(watch, "POLL_S", SELDOM_S)
    watcher = Watcher()
    watcher.start()
    add("own")
    bump("catalogue")
    # Not a moment later: the answer to whoever changed it is on its way
    known = set(watcher.snapshot.backends)
    watcher.stop()
    assert "own" in known


def test_another_processs_changes_are_found_by_the_poll(watcher: Watcher) -> None:
    add("other")
    with connection.cursor() as cursor:
        # As seen from here, another worker's commit: no signal
        cursor.execute(f"UPDATE {TABLE} SET value = value + 1 WHERE name = 'catalogue'")  # noqa: S608 - our own name
    until(lambda: "other" in watcher.snapshot.backends)


@pytest.fixture
def database_away() -> Iterator[Callable[[], None]]:
    """Takes the revisions away, or brings them back."""
    names = [TABLE, "away"]

    def turn() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {names[0]} RENAME TO {names[1]}")
        names.reverse()

    yield turn
    if names[0] != TABLE:
        turn()


def test_a_lost_database_leaves_the_last_picture_and_is_found_again(
    watcher: Watcher, database_away: Callable[[], None]
) -> None:
    before = watcher.snapshot
    database_away()
    with pytest.raises(DatabaseError):
        watcher.refresh()
    time.sleep(2 * watch.POLL_S)
    assert watcher.snapshot is before
    database_away()
    add("back")
    bump("catalogue")
    until(lambda: "back" in watcher.snapshot.backends)
    assert watcher.fresh


def test_a_catalogue_that_cannot_be_built_ends_no_thread(watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_kwargs: object) -> None:
        raise RuntimeError("a fault of ours")

    before = watcher.snapshot
    with monkeypatch.context() as fault:
        fault.setattr(watch, "build", broken)
        bump("catalogue")
        bump("revocation")
        revoked = watcher.revocation_revision
        time.sleep(2 * watch.POLL_S)
        assert watcher.snapshot is before
        assert watcher.revocation_revision >= revoked
    add("mended")
    bump("catalogue")
    until(lambda: "mended" in watcher.snapshot.backends)
    assert watcher.fresh


def test_a_stopped_watcher_leaves_no_thread_behind(watcher: Watcher) -> None:
    assert "catalogue-watch" in {thread.name for thread in threading.enumerate()}
    watcher.stop()
    assert not {"catalogue-watch", "catalogue-push"} & {thread.name for thread in threading.enumerate()}
    watcher.start()


@pytest.mark.services
def test_redis_carries_another_workers_bump_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    del db
    assert settings.REDIS_URL, "run with TEST_REDIS_URL"
    monkeypatch.setattr(watch, "POLL_S", SELDOM_S)
    watcher = Watcher()
    watcher.start()
    add("pushed")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET value = value + 1 WHERE name = 'catalogue'")  # noqa: S608 - our own name
    with redis.Redis.from_url(settings.REDIS_URL) as other_worker:
        until(lambda: other_worker.publish(CHANNEL, "catalogue:1") > 0)
    until(lambda: "pushed" in watcher.snapshot.backends)
    watcher.stop()
