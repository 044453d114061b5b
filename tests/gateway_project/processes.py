"""Watching processes from outside."""

import time
from collections.abc import Callable


def wait_until(holds: Callable[[], bool], *, within_s: float = 60) -> None:
    """Look again and again until it holds.

    Raises:
        AssertionError: it did not in time.
    """
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
