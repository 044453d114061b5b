"""Constrain: reserve what a call uses up, and give back at its end what was only held."""

import time

from proxy.catalogue.plans import OperationPlan
from proxy.limits.addresses import address_network
from proxy.limits.concurrency import Bulkhead
from proxy.limits.counting import Allowance
from proxy.limits.models import AgentTier
from proxy.limits.rates import RateLimiter
from proxy.limits.table import Facts, LimitTable
from proxy.pipeline.call import Constrained, Received, Validated
from proxy.refusals import RateLimited

_TIERS = frozenset(AgentTier.values)


class Limits:
    """Rates and concurrency of one process."""

    def __init__(self, *, table: LimitTable, rates: RateLimiter, bulkhead: Bulkhead) -> None:
        self._table = table
        self._rates = rates
        self._bulkhead = bulkhead

    async def constrain(self, validated: Validated) -> Constrained:
        """Count the call.

        Raises:
            RateLimited: too many calls in the window of one of its limits.
        """
        # Each message of a batch is a call: whoever sends many at once may not make more of them
        for operation in validated.operation.messages[1:]:
            await self._count(validated, operation)
        allowance = await self._count(validated, validated.operation)
        return Constrained(validated=validated, limit_headers=allowance.headers)

    async def _count(self, validated: Validated, operation: OperationPlan) -> Allowance:
        allowance = await self._rates.hit(self._table.wanted(self._facts(validated, operation)))
        if not allowance.allowed:
            raise RateLimited(
                retry_after_s=max(1, allowance.retry_after_s),
                resets_at=int(time.time()) + allowance.resets_in_s,
                headers=allowance.headers,
            )
        return allowance

    async def enter(self, constrained: Constrained) -> None:
        """Take the call's place at the backend; `release` must follow, whatever becomes of it.

        Raises:
            Overloaded: too many calls are there.
        """
        await self._bulkhead.enter(constrained.validated.identified.backend)

    def release(self, constrained: Constrained) -> None:
        """Give the call's place at the backend back."""
        self._bulkhead.leave(constrained.validated.identified.backend)

    def _facts(self, validated: Validated, operation: OperationPlan) -> Facts:
        principal, received = validated.identified.principal, validated.received
        return Facts(
            backend=validated.identified.backend.name,
            operation=operation.operation_id,
            user=str(principal.user.user_id) if principal.user else "",
            client=principal.client_id,
            tenant=principal.tenant,
            address=address_network(received.address),
            tier=_tier(received) if self._table.has_tiers else "",
        )


def _tier(received: Received) -> str:
    """What the agent says it is; a claim, and nothing when it says it twice or strangely."""
    said = [value for name, value in received.headers if name == b"x-agent-tier"]
    tier = said[0].decode("latin-1").strip().lower() if len(said) == 1 else ""
    return tier if tier in _TIERS else ""
