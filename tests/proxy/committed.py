"""A database that other threads see: for tests of what runs in threads of its own."""

from collections.abc import Iterator

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from tests.emptied import empty_database
from tests.own_database import leave


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
        empty_database()
        # A database in use cannot be dropped, and a pool keeps connections open
        for alias in connections:
            leave(alias)
