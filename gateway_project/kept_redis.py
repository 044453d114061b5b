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
        return redis.Redis(connection_pool=self._get_connection_pool(write=True))

    @cached_property
    def _counting(self) -> Any:  # noqa: ANN401 - the answer of a script has no type
        return self._kept.register_script(_COUNT)


class KeptRedisCache(RedisCache):
    """All instances for one server share their client."""

    @cached_property
    def _cache(self) -> KeptClient:
        return _kept_client(tuple(self._servers), tuple(sorted(self._options.items())))


@lru_cache(maxsize=8)
def _kept_client(servers: tuple[str, ...], options: tuple[tuple[str, Any], ...]) -> KeptClient:
    return KeptClient(list(servers), **dict(options))
