"""The watcher: what staff change reaches every worker, and no picture is trusted for longer than it may be."""

import time

import pytest
from django.db import DatabaseError, connection

from oauth_provider.keys.signing import create_signing_key
from oauth_provider.revisions.bump import bump
from proxy.catalogue.models import Backend
from proxy.catalogue.snapshot import EMPTY
from proxy.catalogue.watch import STALE_AFTER_S, Watcher

TABLE = "oauth_provider_revision"


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
