"""The issuers' keys, kept on the event loop: fetched ahead of need, at most so often, and never for each caller.

A call waits only where nothing is held or an unknown key is named, and then for the one request that is under way.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog

from proxy.catalogue.issuer_plan import IssuerPlan, Issuers
from proxy.issuers.jwks import JwksFault, PublicKey, PublicKeys, fetch_keys
from proxy.issuers.refused import InvalidExternalToken, KeysUnavailable

# Keys are fetched anew this often, so a key that its owner withdrew counts no longer than this
REFRESH_S = 300.0
# Keys of a key server that fails are used so long, and no longer
MAX_AGE_S = 3600.0
# Between two requests to one key server, whatever keys the callers name
UNKNOWN_KEY_FLOOR_S = 30.0
# The same while there is nothing to work with and somebody waits
RETRY_S = 5.0
LOOK_EVERY_S = 0.5
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Held:
    """What is known of one key server; times of the monotonic clock, `succeeded_at` also of the wall's."""

    keys: PublicKeys | None = None
    fetched: float = -math.inf
    tried: float = -math.inf
    succeeded_at: float = 0.0
    fault: str = ""
    task: "asyncio.Task[None] | None" = None

    def live(self, now: float) -> PublicKeys | None:
        """Its keys while they may be used."""
        return self.keys if now - self.fetched < MAX_AGE_S else None

    def is_due(self, now: float) -> bool:
        """Whether it is time for a request that nobody waits for."""
        return self.task is None and now - self.fetched >= REFRESH_S and now - self.tried >= UNKNOWN_KEY_FLOOR_S


@dataclass(frozen=True, slots=True)
class KeyState:
    """How one issuer's keys are: `reachable` after the last request, `age_s` since the last one that brought some."""

    name: str
    usable: bool
    reachable: bool
    succeeded_at: float
    age_s: float | None
    keys: int


def _in_thread(issuer: IssuerPlan) -> Awaitable[PublicKeys]:
    return asyncio.to_thread(fetch_keys, issuer)


class KeyKeeper:
    """The keys of every issuer, of one process; used from one event loop."""

    def __init__(self, fetch: Callable[[IssuerPlan], Awaitable[PublicKeys]] = _in_thread) -> None:
        self._fetch = fetch
        self._held: dict[tuple[str, bool], _Held] = {}

    async def key(self, issuer: IssuerPlan, *, kid: str | None, algorithm: str) -> PublicKey:
        """The key of `issuer` that is called `kid` and good for `algorithm`.

        Raises:
            InvalidExternalToken: unknown_key.
            KeysUnavailable: nobody can say, because the issuer's key server does not answer.
        """
        held = self._of(issuer)
        keys = held.live(time.monotonic()) or await self._awaited(issuer, held, floor_s=RETRY_S)
        found = keys.find(kid=kid, algorithm=algorithm) if keys else None
        if keys and found is None:
            keys = await self._awaited(issuer, held, floor_s=UNKNOWN_KEY_FLOOR_S)
            found = keys.find(kid=kid, algorithm=algorithm) if keys else None
        if found is not None:
            return found
        if held.fault or keys is None:
            # The key may be new: only its owner could tell
            left = RETRY_S - (time.monotonic() - held.tried)
            raise KeysUnavailable(max(1, math.ceil(left)))
        raise InvalidExternalToken("unknown_key")

    async def keep(self, issuers: Callable[[], Issuers]) -> None:
        """Fetch ahead of need, for as long as this runs; what is no longer among `issuers` is forgotten."""
        while True:
            self.look(issuers().values())
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self, issuers: Iterable[IssuerPlan]) -> None:
        """Start every request that is due."""
        now = time.monotonic()
        wanted = {_place(issuer): issuer for issuer in issuers}
        for place in self._held.keys() - wanted.keys():
            del self._held[place]
        for issuer in wanted.values():
            held = self._of(issuer)
            if held.is_due(now):
                self._start(issuer, held)

    def states(self, issuers: Iterable[IssuerPlan]) -> list[KeyState]:
        """How the keys of `issuers` are, by name."""
        return [self._state(issuer) for issuer in sorted(issuers, key=lambda issuer: issuer.name)]

    async def close(self) -> None:
        """Wait for no request that is under way."""
        tasks = [held.task for held in self._held.values() if held.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _awaited(self, issuer: IssuerPlan, held: _Held, *, floor_s: float) -> PublicKeys | None:
        """What is held after the request under way, or after one made now unless the last was too short ago."""
        if held.task is None and time.monotonic() - held.tried >= floor_s:
            self._start(issuer, held)
        if held.task is not None:
            # A caller who leaves must not end it for the others
            await asyncio.shield(held.task)
        return held.live(time.monotonic())

    def _start(self, issuer: IssuerPlan, held: _Held) -> None:
        held.tried = time.monotonic()
        held.task = asyncio.get_running_loop().create_task(self._request(issuer, held))

    async def _request(self, issuer: IssuerPlan, held: _Held) -> None:
        try:
            keys = await self._fetch(issuer)
        except JwksFault as fault:
            held.fault = fault.reason
            log.warning("issuer_keys_not_fetched", issuer=issuer.name, fault=fault.reason)
        except Exception:
            held.fault = "crash"
            log.exception("issuer_keys_crashed", issuer=issuer.name)
        else:
            held.keys, held.fault = keys, ""
            held.fetched, held.succeeded_at = time.monotonic(), time.time()
        finally:
            held.task = None

    def _of(self, issuer: IssuerPlan) -> _Held:
        return self._held.setdefault(_place(issuer), _Held())

    def _state(self, issuer: IssuerPlan) -> KeyState:
        held, now = self._of(issuer), time.monotonic()
        live = held.live(now)
        return KeyState(
            name=issuer.name,
            usable=live is not None,
            reachable=bool(held.succeeded_at) and not held.fault,
            succeeded_at=held.succeeded_at,
            age_s=now - held.fetched if held.succeeded_at else None,
            keys=len(live.keys) if live else 0,
        )


def _place(issuer: IssuerPlan) -> tuple[str, bool]:
    return issuer.jwks_url, issuer.allow_private
