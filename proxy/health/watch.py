"""Check the backends without being asked: every so often, one of all processes each of them."""

import random
from collections.abc import Collection
from datetime import datetime, timedelta
from threading import Event as Flag
from threading import Thread
from typing import Final

import structlog
from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from proxy.catalogue.models import Backend
from proxy.health.check import check_backends
from proxy.health.models import BackendCheck

# A process asks whether it is its turn four times as often, and at most so often
TURN_MAX_S: Final = 15.0
log = structlog.get_logger(__name__)


class HealthWatch:
    """Has every enabled backend checked once in `every_s` seconds, in a thread of its own; 0 is never.

    `unreachable` are those that nobody reached at the last check, whichever process made it.
    """

    def __init__(self, *, every_s: int) -> None:
        self.unreachable: Collection[str] = frozenset()
        self._every_s = every_s
        self._stopping = Flag()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin, if it is to be done at all."""
        if self._every_s:
            self._stopping.clear()
            self._thread = Thread(target=self._run, name="backend-health", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread; a check that is under way ends by itself."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(2)
            self._thread = None

    def turn(self) -> None:
        """Check those that are due. Raises DatabaseError."""
        due = [backend for backend in self._due() if self._claim(backend)]
        if due:
            check_backends(backends=due)
        failed = BackendCheck.objects.filter(backend__enabled=True, reachable=False)
        found = frozenset(failed.values_list("backend__name", flat=True))
        for name in found.difference(self.unreachable):
            log.warning("backend_not_reached", backend=name)
        self.unreachable = found

    def _due(self) -> list[Backend]:
        late = Q(last_check=None) | Q(last_check__checked_at__lte=self._before())
        return list(Backend.objects.filter(late, enabled=True))

    def _claim(self, backend: Backend) -> bool:
        """Whether no other process does it; of one that was never checked, several may."""
        rows = BackendCheck.objects.filter(backend=backend)
        return bool(rows.filter(checked_at__lte=self._before()).update(checked_at=timezone.now())) or not rows.exists()

    def _before(self) -> datetime:
        return timezone.now() - timedelta(seconds=self._every_s)

    def _run(self) -> None:
        # Processes that start together do not ask together
        while not self._stopping.wait(min(self._every_s / 4, TURN_MAX_S) * random.uniform(0.5, 1)):  # noqa: S311
            try:
                self.turn()
            except DatabaseError as fault:
                log.warning("backends_not_checked", fault=type(fault).__name__)
            except Exception:
                # The thread must live, or the last check seems good for ever
                log.exception("check_crashed")
            connection.close()
