"""What several connections do at one moment; for tests marked `django_db(transaction=True)`, which really commit."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(acts: list[Callable[[], T]]) -> list[T]:
    """Do all of it at the same moment, each on a connection of its own; the results in order."""
    results: dict[int, T] = {}
    failures: list[BaseException] = []
    start = Barrier(len(acts))

    def run(place: int, act: Callable[[], T]) -> None:
        try:
            start.wait()
            results[place] = act()
        except BaseException as failure:  # noqa: BLE001 - raised again where the test sees it
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [results[place] for place in range(len(acts))]
