"""A database that other threads see: for tests of what runs in threads of its own."""

import importlib
from collections.abc import Iterator

import pytest
from django.core.management.color import no_style
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

# What migrations put there
KEPT = frozenset({"django_migrations", "django_content_type", "auth_permission"})
APPEND_ONLY = importlib.import_module("audit.migrations.0002_append_only")


@pytest.fixture
def db(committed: None) -> None:
    """In place of the fixture that puts a transaction around each test."""
    del committed


@pytest.fixture(scope="module")
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database without a transaction around each test: the threads of the data plane see what a test stores.

    Its rows stay until the module's last test, so each test makes its own and asks for nothing else.
    """
    del django_db_setup
    with django_db_blocker.unblock():
        yield
        _empty()
        _leave()


def _leave() -> None:
    # A database in use cannot be dropped, and a pool keeps connections open
    for alias in connections:
        connections[alias].close()
        if connections[alias].vendor == "postgresql":
            connections[alias].close_pool()  # type: ignore[attr-defined]  # of that vendor's wrapper only


def _empty() -> None:
    # The ledger refuses to forget, as it should; only here its triggers step aside
    with connection.schema_editor() as editor:
        APPEND_ONLY.remove(None, editor)
    tables = [name for name in connection.introspection.django_table_names(only_existing=True) if name not in KEPT]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables, allow_cascade=False))
    with connection.schema_editor() as editor:
        APPEND_ONLY.install(None, editor)
