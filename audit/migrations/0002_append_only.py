"""Events are append-only in the database itself, whoever asks and through whatever tool."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# ALWAYS: session_replication_role = replica would switch ordinary triggers off
POSTGRESQL_INSTALL = """
CREATE FUNCTION audit_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_event is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_is_append_only();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_is_append_only();
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_no_change;
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_no_truncate;
"""
POSTGRESQL_REMOVE = """
DROP TRIGGER audit_event_no_change ON audit_event;
DROP TRIGGER audit_event_no_truncate ON audit_event;
DROP FUNCTION audit_event_is_append_only();
"""
# REPLACE deletes the old row without firing a delete trigger, so the insert itself must refuse a known id, and a rowid
# that is taken: the implicit rowid is as good a key to SQLite as the declared one
SQLITE_INSTALL = (
    """CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
       BEGIN SELECT RAISE(ABORT, 'audit_event is append-only: UPDATE refused'); END""",
    """CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
       BEGIN SELECT RAISE(ABORT, 'audit_event is append-only: DELETE refused'); END""",
    """CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event
       WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id OR rowid = NEW.rowid)
       BEGIN SELECT RAISE(ABORT, 'audit_event is append-only: id exists'); END""",
)
SQLITE_REMOVE = (
    "DROP TRIGGER audit_event_no_update",
    "DROP TRIGGER audit_event_no_delete",
    "DROP TRIGGER audit_event_no_replace",
)


def install(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ANN401 - historical apps have no type
    """Create the triggers of the database at hand."""
    _run(schema_editor, {"postgresql": (POSTGRESQL_INSTALL,), "sqlite": SQLITE_INSTALL})


def remove(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ANN401 - historical apps have no type
    """Drop them."""
    _run(schema_editor, {"postgresql": (POSTGRESQL_REMOVE,), "sqlite": SQLITE_REMOVE})


def _run(schema_editor: BaseDatabaseSchemaEditor, by_vendor: dict[str, tuple[str, ...]]) -> None:
    vendor = schema_editor.connection.vendor
    if vendor not in by_vendor:
        raise NotImplementedError(f"No append-only triggers for {vendor}: the ledger runs on PostgreSQL or SQLite.")
    for statement in by_vendor[vendor]:
        # None, not (): the percent sign of RAISE is no placeholder
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    """Adds the triggers."""

    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
