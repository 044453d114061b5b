"""Calls at the same time: a bulkhead for each backend, so that a slow one cannot hold every connection."""

from collections import Counter

from proxy.catalogue.snapshot import BackendPlan
from proxy.refusals import Overloaded


class Bulkhead:
    """Counts the calls of this process that are at each backend."""

    def __init__(self) -> None:
        self._inside: Counter[str] = Counter()

    def enter(self, backend: BackendPlan) -> None:
        """Take a place.

        Raises:
            Overloaded: `max_concurrency` calls are at the backend already.
        """
        if self._inside[backend.name] >= backend.max_concurrency:
            raise Overloaded
        self._inside[backend.name] += 1

    def leave(self, backend: BackendPlan) -> None:
        """Give the place back."""
        self._inside[backend.name] -= 1
        if not self._inside[backend.name]:
            del self._inside[backend.name]
