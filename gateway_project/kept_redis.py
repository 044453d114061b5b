"""Django's Redis cache with the connections of the process.

Django makes a cache anew for each request that ASGI brings, and with it a pool: whatever counts a rate would open a
connection, say hello on it and close it again.
"""

from functools import cached_property, lru_cache
from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from typing_extensions import override

# Of a count that is still there: nothing that has expired may begin again without an end
_COUNT = "return redis.call('EXISTS', KEYS[1]) == 1 and redis.call('INCRBY', KEYS[1], ARGV[1])"


class KeptClient(RedisCacheClient):
    """One client for as long as the process lives."""

    @override
    def get_client(self, key: Any = None, *, write: bool = False) -> redis.Redis:
        """The same for every thread: redis-py locks its pool itself."""
        return self._kept

    @override
    def incr(self, key: Any, delta: int) -> int:
        """Count in one round trip.

        Raises:
            ValueError: there is nothing to count on.
        """
        counted = self._counting(keys=[key], args=[delta])
        if counted is None:
            raise ValueError(f"Key {key!r} not found.")
        return int(counted)

    @cached_property
    def _kept(self) -> redis.Redis:
        client: redis.Redis = super().get_client(write=True)
        return client

    @cached_property
    def _counting(self) -> Any:  # noqa: ANN401 - the answer of a script has no type
        return self._kept.register_script(_COUNT)


class KeptRedisCache(RedisCache):
    """All instances for one server share their client."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._kept = _kept_client(server, tuple(sorted(params.get("OPTIONS", {}).items())))

    @property
    def _cache(self) -> KeptClient:
        return self._kept


@lru_cache(maxsize=8)
def _kept_client(server: str, options: tuple[tuple[str, Any], ...]) -> KeptClient:
    return KeptClient([server], **dict(options))
