"""One connection to Redis for all requests, and a count that cannot begin again by itself."""

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.core.cache import caches

pytestmark = pytest.mark.services


def test_requests_share_their_connections() -> None:
    with ThreadPoolExecutor(1) as thread:
        # As Django does under ASGI: a context, and so a cache, for each request
        found = {thread.submit(contextvars.Context().run, count_in_a_request, f"key-{each}").result() for each in "abc"}
    assert len(found) == 1


def count_in_a_request(key: str) -> int:
    """Count twice in whatever cache this context has; the server's number of its connection."""
    cache = caches["default"]
    cache.add(key, 1, 60)
    assert cache.incr(key) == 2
    client: redis.Redis = cache._cache.get_client()  # type: ignore[attr-defined]  # noqa: SLF001 - Django has no public name
    return int(client.client_id())


@pytest.mark.parametrize("act", [lambda cache: cache.incr("gone"), lambda cache: cache.decr("gone")])
def test_what_has_expired_is_not_counted_on(act: Callable[[Any], int]) -> None:
    with pytest.raises(ValueError, match="gone"):
        act(caches["default"])
    assert caches["default"].get("gone") is None
