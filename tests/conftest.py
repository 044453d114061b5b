"""What every test may rely on: its own database, empty counters, and no connection beyond this machine."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.utils import translation


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite in a file, as it is served: a database in memory has no WAL and is locked by its second connection."""
    del django_db_modify_db_settings_parallel_suffix
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(Path(settings.DATA_DIR) / "tests.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """A person is made in a millisecond: how slow a hash should be is Django's to test, and takes half a second."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def emptied_after_a_commit() -> Iterator[None]:
    """A test that really commits is followed by deleting every row, which the ledger's triggers would refuse."""
    triggers = import_module("audit.migrations.0002_append_only")
    # Django offers no other place
    empty = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # noqa: SLF001

    def empty_without_triggers(test: TransactionTestCase) -> None:
        with connection.schema_editor() as editor:
            triggers.remove(apps, editor)
        empty(test)
        with connection.schema_editor() as editor:
            triggers.install(apps, editor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_without_triggers)
        yield


@pytest.fixture(autouse=True)
def no_counts_left_over() -> None:
    """Rates and lockouts are counted in the cache, which outlives a test."""
    cache.clear()


@pytest.fixture(autouse=True)
def no_language_left_over() -> Iterator[None]:
    """Django sets the language when a request begins and leaves it so: the next test would read Portuguese."""
    yield
    translation.deactivate()
