"""One SQL statement, from any thread: what the data plane's worker threads ask outside any request of Django's."""

from collections.abc import Sequence
from typing import Any

from django.db import InterfaceError, OperationalError, connection


def fetch(query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Every row that `query` finds.

    Raises:
        DatabaseError: nobody can say.
    """
    try:
        return _run(query, parameters)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        # The server restarted or dropped an idle connection: this thread starts over, once
        connection.close()
        return _run(query, parameters)


def _run(query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
