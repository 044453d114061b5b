"""The watcher: what staff change reaches every worker, and no picture is trusted for longer than it may be."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis
from django.db import DatabaseError, connection
from pytest_django import Settings

from oauth_provider.keys.signing import create_signing_key
from oauth_provider.revisions.bump import CHANNEL, bump
from proxy.catalogue import watch
from proxy.catalogue.models import Backend
from proxy.catalogue.snapshot import EMPTY
from proxy.catalogue.watch import STALE_AFTER_S, Watcher

TABLE = "oauth_provider_revision"


def until(condition: Callable[[], bool], within_s: float = 2.0) -> float:
    """Wait for `condition`; seconds it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < within_s, "it never came true"
        time.sleep(0.005)
    return time.monotonic() - started


def add(name: str) -> None:
    """Store a backend without announcing it."""
    Backend.objects.create(name=name, prefix=f"/api/v1/{name}", upstream_url="https://jobs.example")


@pytest.fixture
def signed(db: None) -> None:
    """A signing key: the first reading would make one, which moves the catalogue's revision."""
    del db
    create_signing_key()


@pytest.mark.django_db
def test_nothing_is_known_and_nothing_is_fresh_before_the_first_reading() -> None:
    watcher = Watcher()
    assert watcher.snapshot is EMPTY
    assert not watcher.fresh


@pytest.mark.usefixtures("signed")
def test_the_catalogue_is_read_when_its_revision_moves_and_only_then() -> None:
    watcher = Watcher()
    watcher.refresh()
    first = watcher.snapshot
    add("jobs")
    watcher.refresh()
    assert watcher.snapshot is first
    bump("catalogue")
    watcher.refresh()
    assert watcher.snapshot.revision == first.revision + 1
    assert set(watcher.snapshot.backends) == {"jobs"}
    # The picture in use was replaced, not changed
    assert not first.backends


@pytest.mark.usefixtures("signed")
def test_a_revocation_moves_its_revision_and_leaves_the_catalogue_alone() -> None:
    watcher = Watcher()
    watcher.refresh()
    first = watcher.snapshot
    bump("revocation")
    watcher.refresh()
    assert watcher.revocation_revision == 1
    assert watcher.snapshot is first


@pytest.mark.django_db
def test_a_revocation_is_seen_while_the_catalogue_cannot_be_built() -> None:
    watcher = Watcher()
    bump("revocation")
    bump("catalogue")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE proxy_backend RENAME TO proxy_backend_away")
    with pytest.raises(DatabaseError):
        watcher.refresh()
    assert watcher.revocation_revision == 1
    assert not watcher.fresh


@pytest.mark.django_db
def test_what_was_read_is_trusted_for_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher()
    watcher.refresh()
    read_at = time.monotonic()
    assert watcher.fresh
    monkeypatch.setattr(time, "monotonic", lambda: read_at + STALE_AFTER_S - 0.1)
    assert watcher.fresh
    monkeypatch.setattr(time, "monotonic", lambda: read_at + STALE_AFTER_S)
    assert not watcher.fresh


@pytest.fixture
def watcher(committed: None) -> Iterator[Watcher]:
    """A running watcher."""
    del committed
    running = Watcher()
    running.start()
    yield running
    running.stop()


def test_the_first_call_finds_a_catalogue(watcher: Watcher) -> None:
    assert watcher.fresh
    assert watcher.snapshot.revision >= 0


def test_this_process_hears_of_its_own_changes_before_the_next_poll(
    monkeypatch: pytest.MonkeyPatch, committed: None
) -> None:
    del committed
    monkeypatch.setattr(watch, "POLL_S", 30)
    watcher = Watcher()
    watcher.start()
    add("own")
    bump("catalogue")
    assert until(lambda: "own" in watcher.snapshot.backends) < 1
    watcher.stop()


def test_another_processs_changes_are_found_by_the_poll(watcher: Watcher) -> None:
    add("other")
    with connection.cursor() as cursor:
        # As seen from here, another worker's commit: no signal
        cursor.execute(f"UPDATE {TABLE} SET value = value + 1 WHERE name = 'catalogue'")  # noqa: S608 - our own name
    assert until(lambda: "other" in watcher.snapshot.backends) < 1


def test_a_lost_database_leaves_the_last_picture_and_is_found_again(watcher: Watcher) -> None:
    before = watcher.snapshot
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} RENAME TO away")
    with pytest.raises(DatabaseError):
        watcher.refresh()
    time.sleep(2 * watch.POLL_S)
    assert watcher.snapshot is before
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE away RENAME TO {TABLE}")
    add("back")
    bump("catalogue")
    until(lambda: "back" in watcher.snapshot.backends)
    assert watcher.fresh


def test_a_stopped_watcher_leaves_no_thread_behind(watcher: Watcher) -> None:
    assert "catalogue-watch" in {thread.name for thread in threading.enumerate()}
    watcher.stop()
    assert not {"catalogue-watch", "catalogue-push"} & {thread.name for thread in threading.enumerate()}
    watcher.start()


@pytest.mark.services
def test_redis_carries_another_workers_bump_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, committed: None
) -> None:
    del committed
    assert settings.REDIS_URL, "run with TEST_REDIS_URL"
    monkeypatch.setattr(watch, "POLL_S", 30)
    watcher = Watcher()
    watcher.start()
    add("pushed")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET value = value + 1 WHERE name = 'catalogue'")  # noqa: S608 - our own name
    with redis.Redis.from_url(settings.REDIS_URL) as other_worker:
        until(lambda: other_worker.publish(CHANNEL, "catalogue:1") > 0)
    assert until(lambda: "pushed" in watcher.snapshot.backends) < 1
    watcher.stop()
