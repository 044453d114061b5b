"""A database of its own for a test whose threads must see each other's commits: the ledger lets nobody empty one."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from tests.migrated import copy_sqlite, create_postgresql, drop_postgresql

ALIAS = "default"


@pytest.fixture
def own_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path) -> Iterator[None]:
    """Put an empty, migrated database of the suite's kind behind the alias `default`, outside any transaction."""
    del django_db_setup
    usual = connections.databases[ALIAS]["NAME"]
    is_server = connections[ALIAS].vendor == "postgresql"
    name = f"own_{uuid4().hex}" if is_server else str(tmp_path / "own.sqlite3")
    with django_db_blocker.unblock():
        if is_server:
            create_postgresql(os.environ["TEST_DATABASE_URL"], name)
        else:
            copy_sqlite(Path(name))
        use(name)
        yield
        use(usual)
        if is_server:
            drop_postgresql(os.environ["TEST_DATABASE_URL"], name)


def use(name: str, *, alias: str = ALIAS) -> None:
    """Put the database `name` behind the alias for every connection made from now on."""
    leave(alias)
    connections.databases[alias]["NAME"] = name


def leave(alias: str) -> None:
    """Close every connection: a database in use cannot be dropped."""
    connections[alias].close()
    if connections[alias].vendor == "postgresql":
        connections[alias].close_pool()  # type: ignore[attr-defined]  # missing from the stubs
