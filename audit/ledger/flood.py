"""Many refusals alike are counted, not written one by one: a flood must not drown what really happened."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from audit.ledger.events import Draft
from audit.ledger.kinds import Decision, Kind

# In a minute, of one caller for one reason: so many stand for themselves, the rest become one number
FULL = 100
WINDOW_S = 60.0
# More callers than this in a minute share one number for each reason
CALLERS_MAX = 10_000


@dataclass(slots=True)
class _Seen:
    """Refusals of one caller for one reason in this window."""

    draft: Draft
    number: int = 0


class RefusalFlood:
    """Decides which refusals are written themselves; `post` takes the events that tell of the others."""

    def __init__(self, post: Callable[[Draft], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._post = post
        self._clock = clock
        self._until = 0.0
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._timer: asyncio.TimerHandle | None = None

    def admits(self, caller: str, draft: Draft) -> bool:
        """Whether `draft`, a refusal of `caller` (an address, or whoever it was), is to be written itself."""
        if self.counts(caller, draft.reason):
            return False
        key = (caller, draft.reason)
        if key not in self._seen and len(self._seen) >= CALLERS_MAX:
            key = ("", draft.reason)
        self._seen.setdefault(key, _Seen(draft)).number += 1
        return True

    def counts(self, caller: str, reason: str) -> bool:
        """Count one more if so many were written that this one needs no draft; else `admits` is to be asked with it."""
        if self._clock() >= self._until:
            self.flush()
        seen = self._seen.get((caller, reason)) or self._seen.get(("", reason))
        if seen is None or seen.number < FULL:
            return False
        seen.number += 1
        if self._timer is None:
            wait_s = max(0.0, self._until - self._clock())
            self._timer = asyncio.get_running_loop().call_later(wait_s, self.flush)
        return True

    def flush(self) -> None:
        """Write the numbers of the window that ends, and begin the next one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        ended, self._seen = self._seen, {}
        self._until = self._clock() + WINDOW_S
        for (caller, reason), seen in ended.items():
            if seen.number > FULL:
                self._post(_counted(seen, reason=reason, is_one=bool(caller)))


def _counted(seen: _Seen, *, reason: str, is_one: bool) -> Draft:
    draft = seen.draft
    return Draft(
        kind=Kind.PROXY_REFUSALS_COUNTED,
        decision=Decision.DENY,
        reason=reason,
        user=draft.user if is_one else None,
        client_id=draft.client_id if is_one else "",
        status=draft.status,
        note=f"{seen.number - FULL} further calls",
        request_id="",
        address=draft.address if is_one else "",
    )
