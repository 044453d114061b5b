"""Delete many rows while others serve: in short transactions, with a pause after each."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

ROWS = 200
# How long the pause is, measured by the work before it
PAUSE = 2


@contextmanager
def short_transaction() -> Iterator[None]:
    """A transaction, and then a pause: SQLite has one writer, for which everybody else waits a quarter of a second."""
    started = time.monotonic()
    with transaction.atomic():
        yield
    time.sleep(PAUSE * (time.monotonic() - started))


def delete_in_batches(rows: QuerySet[Any]) -> Iterator[int]:
    """Delete `rows` and all that hangs on them; yields how many of them each transaction deleted.

    A row that somebody else holds is left to them: it is being changed or deleted right now.
    """
    deleted = ROWS
    while deleted:
        with short_transaction():
            # DELETE takes no LIMIT: keys are chosen, and their rows locked, first
            chosen = list(rows.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)[:ROWS])
            rows.model._default_manager.filter(pk__in=chosen).delete()
            deleted = len(chosen)
        yield deleted
