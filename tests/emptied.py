"""Every row deleted, after tests that really commit."""

from importlib import import_module

from django.apps import apps
from django.db import connection, transaction

# What migrations put there
KEPT = frozenset({"django_migrations", "django_content_type", "auth_permission"})
LEDGER = "audit_event"
APPEND_ONLY = import_module("audit.migrations.0002_append_only")


def empty_database() -> None:
    """Delete the rows of the tables that have any: most have none, and to truncate them all takes longer than a test.

    The ledger refuses to forget, as it should; only here its triggers step aside.
    """
    filled, editor = _filled(), connection.schema_editor()
    if LEDGER in filled:
        APPEND_ONLY.remove(apps, editor)
    with transaction.atomic(), connection.cursor() as cursor:
        for name in filled:
            cursor.execute(f'DELETE FROM "{name}"')  # noqa: S608 - a table of ours
    if LEDGER in filled:
        APPEND_ONLY.install(apps, editor)


def _filled() -> set[str]:
    tables = set(connection.introspection.django_table_names(only_existing=True)) - KEPT
    asked = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in tables]  # noqa: S608 - as above
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        return {name for (name,) in cursor.fetchall()}
