"""A ledger of its own for each test that must commit: the suite's kind of database, outside any transaction."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from audit.ledger.recorder import Recorder
from tests.management_api import api
from tests.migrated import copy_sqlite, create_postgresql, drop_postgresql
from tests.own_database import leave

__all__ = ["api", "audit_alias", "ledger", "recorder"]

ALIAS = "ledger"


@pytest.fixture
def ledger(django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path) -> Iterator[str]:
    """The alias of an empty ledger, set up as the alias `audit` is."""
    del django_db_setup
    settings, server = dict(connections["audit"].settings_dict), os.environ.get("TEST_DATABASE_URL", "")
    settings["NAME"] = f"ledger_{uuid4().hex}" if server else str(tmp_path / "ledger.sqlite3")
    if server:
        create_postgresql(server, settings["NAME"])
    else:
        copy_sqlite(Path(settings["NAME"]))
    connections.databases[ALIAS] = settings
    with django_db_blocker.unblock():
        yield ALIAS
        leave(ALIAS)
    del connections[ALIAS]
    del connections.databases[ALIAS]
    if server:
        drop_postgresql(server, settings["NAME"])


@pytest.fixture
def recorder(ledger: str) -> Iterator[Recorder]:
    """A recorder that runs on the test's ledger."""
    running = Recorder(alias=ledger)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def audit_alias(transactional_db: None) -> Iterator[str]:
    """The alias of the ledger as it is served."""
    del transactional_db
    yield "audit"
    leave("audit")
