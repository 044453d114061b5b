"""A role that may only add to the ledger is enough for the recorder (`AUDIT_DATABASE_URL`), and cannot do more."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.db import ProgrammingError, connections

from audit.ledger.events import Draft, UserRef
from audit.ledger.kinds import Kind
from audit.ledger.models import Event, Subject
from audit.ledger.recorder import Recorder
from tests.own_database import leave

pytestmark = pytest.mark.services
ALIAS = "ledger_writer"
GRANTS = "GRANT SELECT, INSERT ON audit_event TO {role}; GRANT SELECT, INSERT, UPDATE ON audit_subject TO {role}"


@pytest.fixture
def writer(ledger: str) -> Iterator[str]:
    """The alias of the ledger under a role of its own."""
    role, password = f"writer_{uuid4().hex}", uuid4().hex
    with connections[ledger].cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        cursor.execute(GRANTS.format(role=role))
    connections.databases[ALIAS] = connections[ledger].settings_dict | {"USER": role, "PASSWORD": password}
    yield ALIAS
    leave(ALIAS)
    del connections[ALIAS]
    del connections.databases[ALIAS]
    with connections[ledger].cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_it_records(writer: str, ledger: str) -> None:
    recorder = Recorder(alias=writer)
    recorder.start()
    draft = Draft(kind=Kind.PROXY_CALL_DECIDED, user=UserRef(1, "user_2abc"))
    asyncio.run(recorder.record(draft, 20))
    recorder.stop()
    assert Event.objects.using(ledger).get().pk == draft.id
    assert Subject.objects.using(ledger).count() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET reason = 'changed'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_event_no_change ON audit_event",
        "SET session_replication_role = replica",
    ],
)
def test_it_can_do_nothing_else(writer: str, statement: str) -> None:
    with pytest.raises(ProgrammingError), connections[writer].cursor() as cursor:
        cursor.execute(statement)
