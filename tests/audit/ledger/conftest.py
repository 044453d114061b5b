"""A ledger of its own for each test that must commit: the suite's kind of database, outside any transaction."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker

from audit.ledger.recorder import Recorder
from tests.management_api import api

__all__ = ["api", "audit_alias", "leave", "ledger", "on_server", "recorder"]

ALIAS = "ledger"


@pytest.fixture
def ledger(django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path) -> Iterator[str]:
    """The alias of an empty ledger, set up as the alias `audit` is."""
    del django_db_setup
    settings = dict(connections["audit"].settings_dict)
    with django_db_blocker.unblock():
        if connections["default"].vendor == "postgresql":
            settings["NAME"] = f"ledger_{uuid4().hex}"
            on_server(f"CREATE DATABASE {settings['NAME']}")
        else:
            settings["NAME"] = str(tmp_path / "ledger.sqlite3")
        connections.databases[ALIAS] = settings
        call_command("migrate", "audit", database=ALIAS, verbosity=0)
        yield ALIAS
        leave(ALIAS)
        if connections["default"].vendor == "postgresql":
            on_server(f"DROP DATABASE {settings['NAME']} WITH (FORCE)")
    del connections[ALIAS]
    del connections.databases[ALIAS]


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


def leave(alias: str) -> None:
    """Close every connection: a database in use cannot be dropped."""
    connections[alias].close()
    if connections[alias].vendor == "postgresql":
        connections[alias].close_pool()  # type: ignore[attr-defined]  # missing from the stubs


def on_server(statement: str) -> None:
    """Run a statement that no transaction may hold."""
    with connections["default"].cursor() as cursor:
        cursor.execute(statement)
    connections["default"].close()
