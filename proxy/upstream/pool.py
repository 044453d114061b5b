"""The transport of the data plane: kept connections, one pool for each backend and what it is reached with."""

import asyncio
import ssl
import time
from collections import deque
from dataclasses import dataclass, field

from proxy.catalogue.plans import BackendPlan
from proxy.refusals import BackendClosed, BackendUnreachable, ConnectTimeout, DeadlinePassed, Refusal
from proxy.upstream.egress import pinned_address
from proxy.upstream.http1 import ClosedBeforeAnswer, Connection, Exchange, head_of
from proxy.upstream.transport import BodyWatch, Headers, UpstreamRequest

# How long a resolved address is pinned before the name is asked again, and how long a connection is kept
PIN_S = 30.0
IDLE_S = 15.0
# A backend that answered more than it was asked may do so late, when the next request is already sent, and then
# nobody can tell whose the answer is: for so long each of its connections carries one request
DISTRUST_S = 300.0
# The first time must not be at somebody's cost: a backend that is new here has to show that it is silent after an
# answer. Until it was so often enough, a connection carries a second request only after a silence (ADR 0014)
SILENCES = 64
SILENCE_S = 0.1


@dataclass(slots=True)
class _Trust:
    """What a backend showed of itself, at whichever address. Times are monotonic."""

    silences: int = 0
    distrusted_until: float = 0.0

    @property
    def is_proven(self) -> bool:
        """Whether its connections go from one call to the next at once."""
        return self.silences >= SILENCES


@dataclass(slots=True)
class _Pool:
    way: tuple[object, ...]
    address: str
    until: float
    trust: _Trust
    idle: deque[tuple[Connection, float]] = field(default_factory=deque)
    is_closed: bool = False
    in_use: int = 0

    def distrust(self) -> None:
        """Keep no connection for a while."""
        self.trust.distrusted_until = time.monotonic() + DISTRUST_S
        while self.idle:
            self.idle.popleft()[0].abort()

    def take(self) -> Connection | None:
        """The connection used last, if one is still good; of a new backend, the one that was silent the longest."""
        while self.idle:
            is_proven, now = self.trust.is_proven, time.monotonic()
            if not is_proven and now - self.idle[0][1] < SILENCE_S:
                return None
            connection, since = self.idle.pop() if is_proven else self.idle.popleft()
            if now - since < IDLE_S and connection.is_idle:
                self.trust.silences += not is_proven
                return connection
            connection.abort()
        return None

    def make_room(self, *, at_most: int) -> None:
        """Close what only waits to be believed, where the backend may have no more connections than it takes calls."""
        if not self.trust.is_proven:
            while self.idle and self.in_use + len(self.idle) >= at_most + at_most // 4:
                self.idle.pop()[0].abort()

    def keep(self, connection: Connection, *, at_most: int) -> None:
        """Put a connection back, and close those that were not needed for a while."""
        now = time.monotonic()
        is_full = len(self.idle) >= at_most and not self.trust.is_proven
        if self.is_closed or now < self.trust.distrusted_until or is_full:
            # The backend moved, or says too much, or the process ends: nobody will take it again. Or others wait for
            # their silence already
            connection.abort()
            return
        self.idle.append((connection, now))
        while self.idle and (len(self.idle) > at_most or now - self.idle[0][1] >= IDLE_S):
            self.idle.popleft()[0].abort()

    def close(self) -> None:
        """Close every connection that is not in use, and those in use once they are put back."""
        self.is_closed = True
        while self.idle:
            self.idle.popleft()[0].abort()


class PooledResponse:
    """An answer on a connection of a pool."""

    __slots__ = ("_at_most", "_connection", "_exchange", "_pool", "headers", "read", "retries", "status")

    def __init__(self, exchange: Exchange, connection: Connection, pool: _Pool, *, at_most: int) -> None:
        self._exchange: Exchange | None = exchange
        self._connection = connection
        self._pool = pool
        pool.in_use += 1
        self._at_most = at_most
        self.status = exchange.status
        self.headers: Headers = exchange.headers
        self.retries = 0
        self.read = exchange.read

    @property
    def is_ready(self) -> bool:
        """Whether `read` returns at once."""
        return self._exchange is not None and self._exchange.is_ready

    def watch(self, watch: BodyWatch) -> None:
        """Let `watch` hear what becomes of the body."""
        if self._exchange is not None:
            self._exchange.watch(watch)

    def stalled(self) -> None:
        """Whoever reads has waited for the backend in vain until the end of the call."""
        if self._exchange is not None:
            self._exchange.tell_broken("backend_body_timeout")

    async def aclose(self) -> None:
        """Let the connection go."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        self._pool.in_use -= 1
        if exchange.end():
            self._pool.keep(self._connection, at_most=self._at_most)


class PooledTransport:
    """Connects to the address that was checked; SNI, certificate and Host keep the name."""

    def __init__(self) -> None:
        self._pools: dict[str, _Pool] = {}

    async def send(self, backend: BackendPlan, request: UpstreamRequest) -> PooledResponse:
        """The answer, as soon as its head is there."""
        try:
            return await self._send(backend, request)
        except TimeoutError:
            raise DeadlinePassed from None

    async def aclose(self) -> None:
        """Close every connection."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    def connections_of(self, backend: str) -> tuple[int, int]:
        """How many carry an answer, and how many are kept for the next call."""
        pool = self._pools.get(backend)
        return (pool.in_use, len(pool.idle)) if pool is not None else (0, 0)

    async def _send(self, backend: BackendPlan, request: UpstreamRequest) -> PooledResponse:
        head = head_of(request, authority=backend.base.authority)
        pool = self._pools.get(backend.name)
        if pool is None or pool.way != backend.way or time.monotonic() >= pool.until:
            async with asyncio.timeout_at(request.deadline):
                pool = await self._pool(backend)
        while (connection := pool.take()) is not None:
            try:
                return await _exchange(connection, pool, backend, request, head)
            except ClosedBeforeAnswer:
                # RFC 9110 section 9.2.2: a kept connection may have been closed before the request was read
                if not request.may_repeat:
                    raise BackendClosed from None
        pool.make_room(at_most=backend.max_concurrency)
        async with asyncio.timeout_at(request.deadline):
            connection = await self._connect(backend, pool)
        try:
            return await _exchange(connection, pool, backend, request, head)
        except ClosedBeforeAnswer:
            # In TLS 1.3 a server says so, and no more, when it wants another certificate of the client
            raise BackendClosed(reason="backend_closed_after_handshake" if backend.tls is not None else "") from None

    async def _pool(self, backend: BackendPlan) -> _Pool:
        address = await pinned_address(backend)
        # Somebody else may have asked too
        pool = self._pools.get(backend.name)
        if pool is None or pool.address != address or pool.way != backend.way:
            if pool is not None:
                pool.close()
            # Another address is the same backend; another way to it may be to another one
            trust = pool.trust if pool is not None and pool.way == backend.way else _Trust()
            pool = self._pools[backend.name] = _Pool(way=backend.way, address=address, until=0.0, trust=trust)
        pool.way, pool.until = backend.way, time.monotonic() + PIN_S
        return pool

    async def _connect(self, backend: BackendPlan, pool: _Pool) -> Connection:
        base = backend.base
        try:
            async with asyncio.timeout(backend.connect_timeout_s):
                _transport, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(pool.distrust),
                    pool.address,
                    base.port,
                    ssl=backend.tls if base.scheme == "https" else None,
                    server_hostname=base.host if base.scheme == "https" else None,
                )
        except TimeoutError:
            self._forget(backend)
            raise ConnectTimeout from None
        except ssl.SSLCertVerificationError:
            self._forget(backend)
            raise BackendUnreachable(reason="backend_certificate_refused") from None
        except OSError as fault:
            # Perhaps it moved: the next call asks for its address again
            self._forget(backend)
            is_tls = isinstance(fault, ssl.SSLError | ConnectionResetError) and base.scheme == "https"
            raise BackendUnreachable(reason="backend_tls_failed" if is_tls else "") from None
        return connection

    def _forget(self, backend: BackendPlan) -> None:
        if pool := self._pools.get(backend.name):
            pool.until = 0.0


async def _exchange(
    connection: Connection, pool: _Pool, backend: BackendPlan, request: UpstreamRequest, head: bytes
) -> PooledResponse:
    exchange = Exchange(connection, request)
    try:
        await exchange.start(head)
    except TimeoutError:
        is_late, fault = asyncio.get_running_loop().time() >= request.deadline, exchange.fault_until_now
        exchange.end()
        if is_late and isinstance(fault, Refusal):
            # Whose fault a missed deadline is decides over the backend's breaker
            raise fault from None
        raise
    except BaseException:
        exchange.end()
        raise
    return PooledResponse(exchange, connection, pool, at_most=backend.max_concurrency)
