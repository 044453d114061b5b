"""Callers nobody knows: an address that only guesses credentials, or shows none, is told to wait."""

import time

from proxy.limits.addresses import address_network
from proxy.limits.counting import Count, MemoryCounters, Wanted, allowance_of, most_of
from proxy.limits.table import LimitTable
from proxy.refusals import RateLimited

MILLISECONDS = 1000


class Strangers:
    """Counts, in this process, the credentials from each address that opened nothing, and the requests without one.

    The allowance is that of a caller without any, so that inventing one gains nothing; each of `workers` grants a part
    of it. Whoever was known before is no stranger: one program that goes on with a dead token does not lock out those
    who share its address.
    """

    def __init__(self, table: LimitTable, *, workers: int = 1) -> None:
        self._table = table
        self._workers = workers
        self._counters = MemoryCounters()

    def admit(self, address: str) -> None:
        """Let an unseen credential be looked up.

        Raises:
            RateLimited: too many from this address opened nothing.
        """
        now_ms, wanted = _now_ms(), [self._wanted(address)]
        (count,) = self._counters.read(wanted, now_ms=now_ms)
        if count.used(wanted[0].window_ms) < most_of(wanted[0], self._workers):
            return
        raise self._refusal(wanted, [count])

    def shows_nothing(self, address: str) -> None:
        """A request without a credential, or with none that can be read; counted apart from those that guess.

        Raises:
            RateLimited: too many from this address.
        """
        self._take(address, kind="nothing:")

    def asks_first(self, address: str) -> None:
        """An OPTIONS, which needs no credential; counted apart.

        Raises:
            RateLimited: too many from this address.
        """
        self._take(address, kind="options:")

    def failed(self, address: str) -> None:
        """One more that opened nothing."""
        self._counters.take([self._wanted(address)], now_ms=_now_ms(), always=True)

    def _take(self, address: str, *, kind: str) -> None:
        now_ms, wanted = _now_ms(), [self._wanted(address, kind=kind)]
        if not self._counters.take(wanted, now_ms=now_ms, share=self._workers):
            raise self._refusal(wanted, self._counters.read(wanted, now_ms=now_ms))

    def _wanted(self, address: str, *, kind: str = "") -> Wanted:
        rule = self._table.stranger()
        return Wanted(f"{kind}{address_network(address)}", rule.name, rule.max_calls, rule.window_ms)

    def _refusal(self, wanted: list[Wanted], counts: list[Count]) -> RateLimited:
        allowance = allowance_of(wanted, counts, allowed=False, share=self._workers)
        return RateLimited(
            retry_after_s=max(1, allowance.retry_after_s),
            resets_at=int(time.time()) + allowance.resets_in_s,
            headers=allowance.headers,
        )


def _now_ms() -> int:
    return int(time.time() * MILLISECONDS)
