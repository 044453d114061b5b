"""Backends that want a token of the gateway's own: fetched by one call for all, renewed early, never stored."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import structlog

from proxy.catalogue.credentials import ClientCredentials
from proxy.catalogue.plans import BackendPlan
from proxy.refusals import BackendTokenRefused, BackendTokenUnavailable, DeadlinePassed, Refusal
from proxy.upstream.token_request import FetchedToken, TokenNotFetched, request_token
from proxy.upstream.transport import Transport, UpstreamRequest, UpstreamResponse

# A token is not used in its last seconds, a tenth of its life at most, and a new one is asked for that long before
LEEWAY_S = 30.0
LEEWAY_SHARE = 0.1
# After a failure the endpoint is left alone, twice as long after each
BACKOFF_S = 1.0
BACKOFF_MAX_S = 60.0
# A backend's 401 renews a token that is older than this: whoever can provoke one must not make us ask all the time
SETTLED_S = 5.0
UNAUTHORIZED = 401
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Slot:
    """What is known of one backend's token; `task` fetches another, None while nobody does. Times are monotonic."""

    credential: ClientCredentials
    token: str = field(default="", repr=False)
    since: float = float("-inf")
    renew_at: float = float("-inf")
    until: float = float("-inf")
    fault: TokenNotFetched | None = None
    faults: int = 0
    ask_again_at: float = float("-inf")
    task: asyncio.Task[None] | None = None

    def got(self, fetched: FetchedToken, asked_at: float) -> None:
        """A new token."""
        leeway_s = min(LEEWAY_S, LEEWAY_SHARE * fetched.lifetime_s)
        self.token, self.since, self.until = fetched.value, asked_at, asked_at + fetched.lifetime_s - leeway_s
        self.renew_at, self.fault, self.faults = self.until - leeway_s, None, 0

    def failed(self, fault: TokenNotFetched, now: float) -> None:
        """No new token; the old one stays for as long as it is good."""
        self.fault = fault
        self.ask_again_at = now + min(BACKOFF_S * 2**self.faults, BACKOFF_MAX_S)
        self.faults = min(self.faults + 1, 16)

    def refusal(self, now: float) -> Refusal:
        """Why there is none."""
        if self.fault is not None and self.fault.is_lasting:
            return BackendTokenRefused(reason=self.fault.reason)
        return BackendTokenUnavailable(retry_after_s=max(1, round(self.ask_again_at - now)))


class ServiceTokens:
    """The tokens of one process, by backend."""

    def __init__(
        self,
        *,
        request: Callable[[ClientCredentials], FetchedToken] = request_token,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request = request
        self._clock = clock
        self._slots: dict[str, _Slot] = {}

    async def token(self, backend: BackendPlan, credential: ClientCredentials, *, deadline: float) -> str:
        """A token that is good for a while; `deadline` is a time of the event loop.

        Raises:
            BackendTokenRefused, BackendTokenUnavailable: there is none.
            DeadlinePassed: it did not come in time; it is still waited for, for the next call.
        """
        slot, now = self._slot(backend, credential), self._clock()
        if now < slot.renew_at:
            return slot.token
        if slot.task is None and now >= slot.ask_again_at:
            slot.task = asyncio.create_task(self._fetch(slot, backend.name))
        if now < slot.until:
            return slot.token
        if slot.task is not None:
            try:
                async with asyncio.timeout_at(deadline):
                    await asyncio.shield(slot.task)
            except TimeoutError:
                raise DeadlinePassed(reason="backend_token_timeout") from None
        if self._clock() < slot.until:
            return slot.token
        raise slot.refusal(self._clock())

    def rejected(self, backend: BackendPlan, credential: ClientCredentials, token: str) -> bool:
        """The backend does not take `token`; returns whether another one may be had."""
        slot = self._slot(backend, credential)
        if slot.token == token:
            if self._clock() - slot.since < SETTLED_S:
                return False
            slot.renew_at = slot.until = float("-inf")
        return True

    def fault_of(self, backend: BackendPlan) -> TokenNotFetched | None:
        """Why the last attempt with its present credential failed, None when it did not."""
        slot = self._slots.get(backend.name)
        return slot.fault if slot and slot.credential == backend.client_credentials else None

    def _slot(self, backend: BackendPlan, credential: ClientCredentials) -> _Slot:
        slot = self._slots.get(backend.name)
        if slot is None or slot.credential != credential:
            slot = self._slots[backend.name] = _Slot(credential)
        return slot

    async def _fetch(self, slot: _Slot, backend: str) -> None:
        asked_at = self._clock()
        try:
            slot.got(await asyncio.to_thread(self._request, slot.credential), asked_at)
        except TokenNotFetched as fault:
            slot.failed(fault, self._clock())
            log.warning("backend_token_not_fetched", backend=backend, reason=fault.reason, error=fault.error)
        finally:
            slot.task = None


class TokenTransport:
    """A transport that adds the gateway's token to the requests that need it.

    When the backend answers 401, the token is renewed; the request is sent once more if that does no harm.
    """

    def __init__(self, transport: Transport, tokens: ServiceTokens) -> None:
        self._transport = transport
        self._tokens = tokens

    async def send(self, backend: BackendPlan, request: UpstreamRequest) -> UpstreamResponse:
        """The answer, as soon as its head is there.

        Raises:
            BackendTokenRefused, BackendTokenUnavailable: there is no token to send with it.
        """
        credential = backend.client_credentials
        if credential is None or not request.needs_token:
            return await self._transport.send(backend, request)
        token = await self._tokens.token(backend, credential, deadline=request.deadline)
        response = await self._transport.send(backend, _with(request, token))
        if response.status != UNAUTHORIZED or not self._tokens.rejected(backend, credential, token):
            return response
        if not request.may_repeat:
            return response
        await response.aclose()
        token = await self._tokens.token(backend, credential, deadline=request.deadline)
        again = await self._transport.send(backend, _with(request, token))
        again.retries += 1
        return again

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


def _with(request: UpstreamRequest, token: str) -> UpstreamRequest:
    return replace(request, headers=(*request.headers, ("authorization", f"Bearer {token}")))
