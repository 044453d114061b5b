"""What every test may rely on: its own database, empty counters, and no connection beyond this machine."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import certifi
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import TransactionTestCase, override_settings
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from tests.emptied import empty_database
from tests.migrated import copy_sqlite, create_postgresql, drop_postgresql
from tests.own_database import leave, use

# How long an example takes says something about the machine. Fixtures hold what no example changes
hypothesis_settings.register_profile(
    "gatehouse", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("gatehouse")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A copy of a migrated database: migrating would take every process of the run seconds.

    SQLite in a file, as it is served: a database in memory has no WAL and is locked by its second connection.
    """
    del django_test_environment
    server = os.environ.get("TEST_DATABASE_URL", "")
    name = f"tests_{uuid4().hex}" if server else str(Path(settings.DATA_DIR) / "tests.sqlite3")
    with django_db_blocker.unblock():
        if server:
            create_postgresql(server, name)
        else:
            copy_sqlite(Path(name))
        for alias in connections:
            use(name, alias=alias)
        yield
        for alias in connections:
            leave(alias)
    if server:
        drop_postgresql(server, name)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """A person is made in a millisecond: how slow a hash should be is Django's to test, and takes half a second."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test asks beyond this machine, yet every `httpx.get` would read the authorities of the world for 30 ms."""
    end = "-----END CERTIFICATE-----\n"
    bundle = tmp_path_factory.mktemp("authorities") / "one.pem"
    bundle.write_text(Path(certifi.where()).read_text().partition(end)[0] + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certifi, "where", lambda: str(bundle))
        yield


@pytest.fixture(scope="session", autouse=True)
def emptied_after_a_commit() -> Iterator[None]:
    """A test that really commits is followed by deleting every row that there is."""
    with pytest.MonkeyPatch.context() as patch:
        # Django offers no other place
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _test: empty_database())
        yield


@pytest.fixture(autouse=True)
def no_counts_left_over() -> None:
    """Rates and lockouts are counted in the cache, which outlives a test."""
    cache.clear()


@pytest.fixture(autouse=True)
def no_rate_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate's window ends with the clock, at a second of its own: one that ended within a test would forget."""
    now = time.time()
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: now))


@pytest.fixture(autouse=True)
def no_language_left_over() -> Iterator[None]:
    """Django sets the language when a request begins and leaves it so: the next test would read Portuguese."""
    yield
    translation.deactivate()
