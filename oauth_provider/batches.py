"""Delete many rows while others serve: in short transactions, with a pause as long as the work after each."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

ROWS = 500


@contextmanager
def short_transaction() -> Iterator[None]:
    """A transaction, and then a pause as long as it took: SQLite has one writer, and everybody else waits for it."""
    started = time.monotonic()
    with transaction.atomic():
        yield
    time.sleep(time.monotonic() - started)


def delete_in_batches(rows: QuerySet[Any]) -> Iterator[int]:
    """Delete `rows` and all that hangs on them; yields how many of them each transaction deleted.

    A row that somebody else holds is left to them: it is being changed or deleted right now.
    """
    deleted = ROWS
    while deleted:
        with short_transaction():
            # Not the rows themselves: locked first, then deleted, in whatever order the database finds them
            chosen = list(rows.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)[:ROWS])
            rows.model._default_manager.filter(pk__in=chosen).delete()
            deleted = len(chosen)
        yield deleted
