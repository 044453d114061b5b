"""What other workers hear at once, and a Redis that says nothing."""

import socket
import time
from collections.abc import Iterator

import pytest

from oauth_provider.revisions.bump import ASK_AGAIN_S, Channel


@pytest.fixture
def silent_redis() -> Iterator[str]:
    """The address of one that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def took_s(channel: Channel) -> float:
    """How long an announcement takes."""
    asked_at = time.monotonic()
    channel.publish("revocation", 1)
    return time.monotonic() - asked_at


def test_one_that_stands_still_holds_one_change_up_and_not_the_next(silent_redis: str) -> None:
    now = [100.0]
    channel = Channel(silent_redis, clock=lambda: now[0])
    assert took_s(channel) >= 0.4
    assert took_s(channel) < 0.2
    now[0] += ASK_AGAIN_S
    assert took_s(channel) >= 0.4


def test_one_that_is_gone_costs_nobody_time_and_is_asked_again_at_once() -> None:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        channel = Channel(f"redis://127.0.0.1:{place.getsockname()[1]}/0")
        assert all(took_s(channel) < 0.2 for _change in range(3))
        # Now somebody is there again
        place.listen()
        assert took_s(channel) >= 0.4
