"""Credentials that nobody has seen: an address that only guesses is told to wait before any of it is looked up."""

import time

from proxy.limits.addresses import address_network
from proxy.limits.counting import MemoryCounters, Wanted, allowance_of
from proxy.limits.table import LimitTable
from proxy.refusals import RateLimited

MILLISECONDS = 1000


class Strangers:
    """Counts, in this process, the credentials from each address that opened nothing.

    The allowance is that of a caller without any, so that inventing one gains nothing. Whoever was known before is no
    stranger, so that one program that goes on with a dead token does not lock out those who share its address.
    """

    def __init__(self, table: LimitTable) -> None:
        self._table = table
        self._counters = MemoryCounters()

    def admit(self, address: str) -> None:
        """Let an unseen credential be looked up.

        Raises:
            RateLimited: too many from this address opened nothing.
        """
        now_ms, wanted = _now_ms(), [self._wanted(address)]
        (count,) = self._counters.read(wanted, now_ms=now_ms)
        if count.used(wanted[0].window_ms) < wanted[0].max_calls:
            return
        allowance = allowance_of(wanted, [count], allowed=False)
        raise RateLimited(
            retry_after_s=max(1, allowance.retry_after_s),
            resets_at=int(time.time()) + allowance.resets_in_s,
            headers=allowance.headers,
        )

    def failed(self, address: str) -> None:
        """One more that opened nothing."""
        self._counters.take([self._wanted(address)], now_ms=_now_ms(), always=True)

    def _wanted(self, address: str) -> Wanted:
        rule = self._table.stranger()
        return Wanted(address_network(address), rule.name, rule.max_calls, rule.window_ms)


def _now_ms() -> int:
    return int(time.time() * MILLISECONDS)
