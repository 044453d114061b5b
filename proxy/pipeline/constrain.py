"""Constrain: reserve what a call uses up, and give back at its end what was only held."""

import time

from proxy.limits.concurrency import Bulkhead
from proxy.limits.rates import RateLimiter
from proxy.pipeline.call import Constrained, Validated
from proxy.refusals import RateLimited


class Limits:
    """Rates and concurrency of one process."""

    def __init__(self, *, rates: RateLimiter, bulkhead: Bulkhead) -> None:
        self._rates = rates
        self._bulkhead = bulkhead

    async def constrain(self, validated: Validated) -> Constrained:
        """Reserve the call's place; `release` must follow, whatever becomes of it.

        Raises:
            RateLimited: the caller made too many calls in the window.
            Overloaded: too many calls are at the backend.
        """
        identified = validated.identified
        key = identified.principal.limit_key or f"address:{validated.received.address}"
        allowance = await self._rates.hit(key)
        if not allowance.allowed:
            raise RateLimited(
                retry_after_s=allowance.resets_in_s,
                resets_at=int(time.time()) + allowance.resets_in_s,
                headers=allowance.headers,
            )
        await self._bulkhead.enter(identified.backend)
        return Constrained(validated=validated, limit_headers=allowance.headers)

    def release(self, constrained: Constrained) -> None:
        """Give the call's place at the backend back."""
        self._bulkhead.leave(constrained.validated.identified.backend)
