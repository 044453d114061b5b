"""Calls per window, counted in memory or, for several workers, in Redis (`limits`, sliding window counter)."""

import math
import time
from dataclasses import dataclass

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import ConnectionPool

Headers = tuple[tuple[str, str], ...]
NAMESPACE = "gatehouse"
ANSWER_WITHIN_S = 0.25
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller has left. `resets_in_s` whole seconds until a full allowance, `headers` say so to the caller."""

    allowed: bool
    remaining: int
    resets_in_s: int
    headers: Headers


class RateLimiter:
    """At most `max_calls` in `window_s` seconds for each key. Without Redis's answer each worker counts for itself."""

    def __init__(self, *, max_calls: int, window_s: int, redis_url: str | None) -> None:
        self._item = RateLimitItemPerSecond(max_calls, window_s, namespace=NAMESPACE)
        self._policy = f'"default";q={max_calls};w={window_s}'
        self._local = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._connections = _connections(redis_url) if redis_url else None
        self._shared = _shared(self._connections) if self._connections else None

    async def aclose(self) -> None:
        """Close every connection to Redis."""
        if self._connections is not None:
            await self._connections.aclose()

    async def hit(self, key: str) -> Allowance:
        """Count one call of `key` and say whether it still fits."""
        if self._shared is not None:
            try:
                return await self._count(self._shared, key)
            except StorageError as fault:
                # Never unlimited, never an outage: what this worker has seen decides until Redis is back
                log.warning("shared_limits_lost", fault=type(fault.storage_error).__name__)
        return await self._count(self._local, key)

    async def _count(self, limiter: SlidingWindowCounterRateLimiter, key: str) -> Allowance:
        allowed = await limiter.hit(self._item, key)
        stats = await limiter.get_window_stats(self._item, key)
        resets_in_s = max(1, math.ceil(stats.reset_time - time.time()))
        # draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4
        headers = (
            ("ratelimit-policy", self._policy),
            ("ratelimit", f'"default";r={stats.remaining};t={resets_in_s}'),
        )
        return Allowance(allowed, stats.remaining, resets_in_s, headers)


def _connections(redis_url: str) -> ConnectionPool:
    pool: ConnectionPool = ConnectionPool.from_url(
        redis_url, socket_timeout=ANSWER_WITHIN_S, socket_connect_timeout=ANSWER_WITHIN_S
    )
    return pool


def _shared(connections: ConnectionPool) -> SlidingWindowCounterRateLimiter:
    # Its URI says only that it is Redis; where it is, a socket included, the pool knows
    storage = RedisStorage(
        "async+redis://",
        wrap_exceptions=True,
        implementation="redispy",
        connection_pool=connections,  # type: ignore[arg-type]  # the library's annotation forgets it
    )
    return SlidingWindowCounterRateLimiter(storage)
