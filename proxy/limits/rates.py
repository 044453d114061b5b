"""Calls per window, counted in memory or, for several workers, in Redis: one script for all the limits of a call."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from proxy.limits.counting import Allowance, Count, MemoryCounters, Wanted, allowance_of

NAMESPACE = "gatehouse:limit:"
ANSWER_WITHIN_S = 0.25
CONNECTIONS_MAX = 8
# A Redis that did not answer is asked again by one call in so long, which waits; all others go on without it
ASK_AGAIN_S = 3.0
MILLISECONDS = 1000
# Counts what each costs in every counter, or in none when one is full. Redis has the only clock that workers share
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local said, states, fits = {1, now}, {}, true
for i, key in ipairs(KEYS) do
    local costs, max, window = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
    local index = math.floor(now / window)
    local held = redis.call('HMGET', key, 'w', 'c', 'b', 'l')
    local at, calls, before = tonumber(held[1]), tonumber(held[2]) or 0, tonumber(held[3]) or 0
    if tonumber(held[4]) ~= window or not at or index - at > 1 then calls, before = 0, 0
    elseif at ~= index then calls, before = 0, calls end
    if before * (1 - (now % window) / window) + calls + costs > max + 0.000001 then fits = false end
    states[i] = {index, calls, before, window, costs}
end
for i, key in ipairs(KEYS) do
    local state = states[i]
    if fits then
        state[2] = state[2] + state[5]
        redis.call('HSET', key, 'w', state[1], 'c', state[2], 'b', state[3], 'l', state[4])
        redis.call('PEXPIRE', key, 2 * state[4])
    end
    said[#said + 1], said[#said + 2] = state[2], state[3]
end
if not fits then said[1] = 0 end
return said
"""
log = structlog.get_logger(__name__)


class RateLimiter:
    """Counts calls. Without Redis's answer each worker grants its share of every limit: one part in `workers`."""

    def __init__(self, *, redis_url: str | None, workers: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._workers = workers
        self._clock = clock
        self._memory = MemoryCounters()
        self._connections = _connections(redis_url) if redis_url else None
        client: Redis | None = Redis(connection_pool=self._connections) if self._connections else None
        self._script = client.register_script(SCRIPT) if client is not None else None
        self._silent_until = 0.0

    @property
    def is_alone(self) -> bool:
        """Whether Redis did not answer last, so that this worker counts for itself."""
        return self._silent_until > 0

    async def aclose(self) -> None:
        """Close every connection to Redis."""
        if self._connections is not None:
            await self._connections.aclose()

    async def hit(self, wanted: Sequence[Wanted], *, cost: int = 1) -> Allowance:
        """Count a call against all of `wanted`, one at least, unless it fits one of them no more.

        It costs as much as `cost` calls, or all of a limit that is smaller. Several calls cost what `costs` say, and
        all of them are counted or none.
        """
        if self._script is not None and (now := self._clock()) >= self._silent_until:
            # Until it has answered, nobody else waits for it
            was_silent, self._silent_until = self._silent_until, now + ASK_AGAIN_S if self._silent_until else 0.0
            try:
                allowance = await self._count_together(wanted, cost)
            except (RedisError, OSError, TimeoutError, ValueError, TypeError, IndexError) as fault:
                # Never unlimited, never an outage: what this worker has seen decides until Redis is back
                if not was_silent and not self._silent_until:
                    log.warning("shared_limits_lost", fault=type(fault).__name__)
                self._silent_until = self._clock() + ASK_AGAIN_S
            else:
                self._silent_until = 0.0
                return allowance
        return self._count_alone(wanted, cost)

    async def _count_together(self, wanted: Sequence[Wanted], cost: int) -> Allowance:
        arguments: list[int] = []
        for each in wanted:
            arguments += (each.cost_of(cost, each.max_calls), each.max_calls, each.window_ms)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            said: Any = await self._script(keys=[NAMESPACE + each.key for each in wanted], args=arguments)  # type: ignore[misc]
        if not isinstance(said, list) or len(said) != 2 + 2 * len(wanted):
            raise TypeError("no answer of the script")
        fits, now_ms, *numbers = map(int, said)
        counts = [Count(now_ms, calls, before) for calls, before in zip(numbers[::2], numbers[1::2], strict=True)]
        if fits:
            # So that the share of a worker that loses Redis does not begin anew
            self._memory.take(wanted, now_ms=_now_ms(), cost=cost, always=True)
        return allowance_of(wanted, counts, allowed=bool(fits), cost=cost)

    def _count_alone(self, wanted: Sequence[Wanted], cost: int) -> Allowance:
        share = self._workers if self._script is not None else 1
        now_ms = _now_ms()
        taken = self._memory.take(wanted, now_ms=now_ms, cost=cost, share=share)
        counts = self._memory.read(wanted, now_ms=now_ms)
        return allowance_of(wanted, counts, allowed=taken, cost=cost, share=share)


def _now_ms() -> int:
    return int(time.time() * MILLISECONDS)


def _connections(redis_url: str) -> ConnectionPool:
    # Few and kept: a hundred calls at once would spend their quarter of a second on opening a hundred connections
    pool: ConnectionPool = BlockingConnectionPool.from_url(
        redis_url,
        max_connections=CONNECTIONS_MAX,
        # One clock for all of it: whoever counts has it already
        timeout=None,
        socket_timeout=None,
        socket_connect_timeout=ANSWER_WITHIN_S,
        retry=Retry(NoBackoff(), 0),
    )
    return pool
