"""Constrain: reserve what a call uses up, and give back at its end what was only held."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from proxy.catalogue.plans import OperationPlan
from proxy.limits.addresses import address_network
from proxy.limits.concurrency import Bulkhead, Listeners, Shares, Streams
from proxy.limits.counting import Wanted, together
from proxy.limits.models import AgentTier
from proxy.limits.rates import RateLimiter
from proxy.limits.table import Facts, LimitTable
from proxy.pipeline.call import Answer, Constrained, Headers, Principal, Received, Validated
from proxy.refusals import RateLimited

TOO_LARGE_A_BATCH = "The batch has more calls than its limit ever allows at once; send fewer in one."
_TIERS = frozenset(AgentTier.values)


class Limits:
    """Rates, places and streams of one process."""

    def __init__(self, *, table: LimitTable, rates: RateLimiter, bulkhead: Bulkhead) -> None:
        self._table = table
        self._rates = rates
        self._bulkhead = bulkhead
        self._shares = Shares()
        self._streams = Streams()
        self._listeners = Listeners()

    async def constrain(self, validated: Validated) -> Constrained:
        """Count the call.

        Raises:
            Overloaded, TooManyCalls: it would find no place at its backend; of no limit it has used up anything.
            RateLimited: too many calls in the window of one of its limits.
            TooManyStreams: it asks for a stream, and its caller has as many as one may have there.
        """
        self._check_places(validated)
        operation = validated.operation
        wanted = self._table.wanted(self._facts_of(validated, operation))
        if len(operation.messages) > 1:
            # Each message of a batch is a call: whoever sends many at once may not make more of them. All are counted
            # in one step, because none is sent when one of them is too many
            messages = ((self._table.wanted(self._facts_of(validated, each)), each.cost) for each in operation.messages)
            wanted = together(messages)
        return Constrained(validated=validated, limit_headers=await self._count(wanted, cost=operation.cost))

    async def count_message(self, principal: Principal, received: Received) -> Headers:
        """Count a message that the gateway answers itself as a call of `principal`, and tell what is left.

        Raises:
            RateLimited: too many calls in the window of one of its limits.
        """
        return await self._count(self._table.wanted(self._facts(principal, received)))

    async def _count(self, wanted: Sequence[Wanted], *, cost: int = 1) -> Headers:
        allowance = await self._rates.hit(wanted, cost=cost)
        if not allowance.allowed:
            raise RateLimited(
                TOO_LARGE_A_BATCH if any(each.is_out_of_reach for each in wanted) else "",
                retry_after_s=max(1, allowance.retry_after_s),
                resets_at=int(time.time()) + allowance.resets_in_s,
                headers=allowance.headers,
            )
        return allowance.headers

    async def enter(self, constrained: Constrained) -> None:
        """Take the call's place at the backend; `release` must follow, whatever becomes of it.

        Raises:
            Overloaded: too many calls are there.
            TooManyCalls: too many of its person are.
            TooManyStreams: it only listens, and its caller does so often enough there.
        """
        validated = constrained.validated
        if _only_listens(validated):
            self._listeners.enter(_caller(validated))
            return
        backend, person = validated.identified.backend, _person(validated)
        if person is not None and not self._shares.take(backend, person):
            await self._shares.wait(backend, person)
        try:
            await self._bulkhead.enter(backend)
        except BaseException:
            if person is not None:
                self._shares.leave(backend, person)
            raise

    def stream(self, constrained: Constrained, answer: Answer) -> AbstractContextManager[None]:
        """Count `answer` while it is open, if it is a stream.

        Raises:
            TooManyStreams: on entering, when its caller has as many as one may have there.
        """
        validated = constrained.validated
        is_counted = answer.is_stream and answer.length is None and not _only_listens(validated)
        return self._streams.opened(validated.identified.backend, _caller(validated)) if is_counted else nullcontext()

    def release(self, constrained: Constrained) -> None:
        """Give the call's place at the backend back."""
        validated = constrained.validated
        if _only_listens(validated):
            self._listeners.leave(_caller(validated))
            return
        backend, person = validated.identified.backend, _person(validated)
        self._bulkhead.leave(backend)
        if person is not None:
            self._shares.leave(backend, person)

    def _check_places(self, validated: Validated) -> None:
        backend, person = validated.identified.backend, _person(validated)
        if _only_listens(validated):
            self._listeners.check(_caller(validated))
            return
        self._bulkhead.check(backend)
        if person is not None:
            self._shares.check(backend, person)
        if self._streams.are_open and _asks_for_stream(validated.received):
            self._streams.check(backend, _caller(validated))

    def _facts_of(self, validated: Validated, operation: OperationPlan) -> Facts:
        identified = validated.identified
        return self._facts(
            identified.principal,
            validated.received,
            backend=identified.backend.name,
            operation=operation.operation_id,
        )

    def _facts(self, principal: Principal, received: Received, *, backend: str = "", operation: str = "") -> Facts:
        return Facts(
            backend=backend,
            operation=operation,
            user=str(principal.user.user_id) if principal.user else "",
            client=principal.client_id,
            tenant=principal.tenant,
            address=address_network(received.address),
            tier=_tier(received) if self._table.has_tiers else "",
        )


def _caller(validated: Validated) -> str:
    return validated.identified.principal.limit_key or address_network(validated.received.address)


def _person(validated: Validated) -> int | None:
    """Whose share of the backend's places the call takes; None where there is nothing to share.

    A client that calls as itself calls for everybody, and a single place has no halves.
    """
    identified = validated.identified
    user = identified.principal.user
    return user.user_id if user is not None and identified.backend.max_concurrency > 1 else None


def _only_listens(validated: Validated) -> bool:
    named = validated.received.named
    return named is not None and named.only_listens


def _asks_for_stream(received: Received) -> bool:
    return any(name == b"accept" and b"text/event-stream" in value for name, value in received.headers)


def _tier(received: Received) -> str:
    """What the agent says it is; a claim, and nothing when it says it twice or strangely."""
    said = [value for name, value in received.headers if name == b"x-agent-tier"]
    tier = said[0].decode("latin-1").strip().lower() if len(said) == 1 else ""
    return tier if tier in _TIERS else ""
