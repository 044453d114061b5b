"""The sliding window counter: the calls of this window, and of the one before as far as it still reaches into now.

At most two numbers for each limit and caller, and never more calls in any window than are allowed (within a few
percent: the calls of the window before are taken to be evenly spread).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

Headers = tuple[tuple[str, str], ...]
# Of decimals, not of calls
_ALMOST = 1e-6
KEYS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A counter that a call goes through: at most `max_calls` in `window_ms` under `key`; `name` is for the caller.

    For several calls that are made or refused as one, `costs` are those of each that goes through it.
    """

    key: str
    name: str
    max_calls: int
    window_ms: int
    costs: tuple[int, ...] = ()

    def cost_of(self, cost: int, most: int) -> int:
        """What is counted where `most` may be, for one call of `cost`; a call that costs more than that costs all."""
        return sum(min(each, most) for each in self.costs) if self.costs else min(cost, most)

    @property
    def is_out_of_reach(self) -> bool:
        """Whether there are more calls than are allowed at once, however long their caller waits."""
        return self.cost_of(0, self.max_calls) > self.max_calls


@dataclass(frozen=True, slots=True)
class Count:
    """What a counter holds at `now_ms`: calls of this window and of the one before."""

    now_ms: int
    calls: int
    before: int

    def used(self, window_ms: int) -> float:
        """Calls that count now."""
        return self.before * (1 - self.now_ms % window_ms / window_ms) + self.calls


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller has left under the limit that is closest to its end.

    `retry_after_s`: whole seconds until this call fits, 0 when it did; `resets_in_s`: until the full allowance.
    `headers` say so to the caller.
    """

    allowed: bool
    remaining: int
    retry_after_s: int
    resets_in_s: int
    headers: Headers


class MemoryCounters:
    """The counters of one process."""

    def __init__(self) -> None:
        # Window, its calls, calls of the one before, length of the window in ms
        self._counters: dict[str, list[int]] = {}

    def take(
        self, wanted: Sequence[Wanted], *, now_ms: int, cost: int = 1, share: int = 1, always: bool = False
    ) -> bool:
        """Count a call that costs as much as `cost` calls, if it fits all of `wanted`.

        Of each limit only one part in `share` is this process's. `always` counts the call in any case: for a process
        that counts along with others.
        """
        counters = [(self._counter(each, now_ms), most_of(each, share)) for each in wanted]
        fits = all(
            Count(now_ms, counter[1], counter[2]).used(each.window_ms) + each.cost_of(cost, most) <= most + _ALMOST
            for each, (counter, most) in zip(wanted, counters, strict=True)
        )
        if fits or always:
            for each, (counter, most) in zip(wanted, counters, strict=True):
                counter[1] += each.cost_of(cost, most)
        return fits

    def read(self, wanted: Sequence[Wanted], *, now_ms: int) -> list[Count]:
        """What the counters hold."""
        counters = (self._counter(each, now_ms) for each in wanted)
        return [Count(now_ms, counter[1], counter[2]) for counter in counters]

    def _counter(self, wanted: Wanted, now_ms: int) -> list[int]:
        window = now_ms // wanted.window_ms
        counter = self._counters.get(wanted.key)
        if counter is None:
            if len(self._counters) >= KEYS_MAX:
                self._sweep(now_ms)
            counter = self._counters[wanted.key] = [window, 0, 0, wanted.window_ms]
        elif counter[3] != wanted.window_ms:
            # Staff changed it: what was counted in windows of another length says nothing
            counter[:] = [window, 0, 0, wanted.window_ms]
        elif counter[0] != window:
            counter[:] = [window, 0, counter[1] if counter[0] == window - 1 else 0, wanted.window_ms]
        return counter

    def _sweep(self, now_ms: int) -> None:
        live = {key: counter for key, counter in self._counters.items() if now_ms // counter[3] - counter[0] <= 1}
        if len(live) > KEYS_MAX * 0.9:
            # More callers than there is room for: those who came first begin anew
            live = dict(list(live.items())[KEYS_MAX // 2 :])
        self._counters = live


def most_of(wanted: Wanted, share: int) -> int:
    """What a process that grants one part in `share` grants."""
    return max(1, wanted.max_calls // share)


def together(calls: Iterable[tuple[Iterable[Wanted], int]]) -> list[Wanted]:
    """The counters of several calls, given as those of each and its cost: each counter once, for all of them."""
    found: dict[str, Wanted] = {}
    costs: defaultdict[str, list[int]] = defaultdict(list)
    for wanted, cost in calls:
        for each in wanted:
            found[each.key] = each
            costs[each.key].append(cost)
    return [replace(each, costs=tuple(costs[key])) for key, each in found.items()]


def allowance_of(
    wanted: Sequence[Wanted], counts: Sequence[Count], *, allowed: bool, cost: int = 1, share: int = 1
) -> Allowance:
    """What the caller hears; `counts` are as of after this call."""
    found = [
        _one(each, count, cost=0 if allowed else cost, share=share) for each, count in zip(wanted, counts, strict=True)
    ]
    # Of several that are used up the one that lasts longest: coming back earlier would be in vain
    return found[0] if len(found) == 1 else min(found, key=lambda one: (one.remaining, -one.retry_after_s))


def _one(wanted: Wanted, count: Count, *, cost: int, share: int) -> Allowance:
    window_ms, most = wanted.window_ms, most_of(wanted, share)
    into_ms = count.now_ms % window_ms
    remaining = max(0, math.floor(most - count.used(window_ms) + _ALMOST))
    full_ms = 2 * window_ms - into_ms if count.calls else window_ms - into_ms if count.before else 0
    resets_in_s = max(1, math.ceil(full_ms / 1000))
    left = most - min(wanted.cost_of(cost, most), most)
    retry_after_s = math.ceil(_wait_ms(count, left, window_ms) / 1000) if cost else 0
    # draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4
    headers = (
        ("ratelimit-policy", f'"{wanted.name}";q={wanted.max_calls};w={max(1, math.ceil(window_ms / 1000))}'),
        ("ratelimit", f'"{wanted.name}";r={remaining};t={resets_in_s}'),
    )
    return Allowance(not cost, remaining, retry_after_s, resets_in_s, headers)


def _wait_ms(count: Count, most: int, window_ms: int) -> float:
    """Until no more than `most` count: the window before fades, and if that is not enough, this one in the next."""
    into_ms = count.now_ms % window_ms
    room = most - count.calls
    if room >= 0:
        faded_ms = window_ms * (1 - room / count.before) if count.before > room else 0.0
        return max(0.0, faded_ms - into_ms)
    return window_ms - into_ms + window_ms * (1 - most / count.calls)
