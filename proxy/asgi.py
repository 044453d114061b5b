"""The data plane: plain ASGI, no middleware, no ORM on the way of a call."""

import asyncio
from collections.abc import Iterable

from django.conf import settings

from audit.ledger.events import Draft
from audit.ledger.kinds import Decision, Kind
from audit.ledger.recorder import Recorder
from proxy.catalogue.plans import MCP_PATH, METADATA_PATH, BackendPlan
from proxy.catalogue.watch import Watcher
from proxy.ended_sessions.known import EndedSessions
from proxy.entrypoints.asgi_types import Application, Receive, Scope, Send
from proxy.entrypoints.cors import Cors
from proxy.entrypoints.mcp.endpoint import McpEntrypoint
from proxy.entrypoints.openapi import OpenApiDocuments
from proxy.entrypoints.resource_metadata import ResourceMetadata
from proxy.entrypoints.rest import RestEntrypoint
from proxy.health.watch import HealthWatch
from proxy.issuers.keeper import KeyKeeper
from proxy.issuers.plans import read_issuers
from proxy.issuers.verify import ExternalTokens
from proxy.limits.concurrency import Bulkhead
from proxy.limits.rates import RateLimiter
from proxy.limits.strangers import Strangers
from proxy.limits.table import LimitTable
from proxy.observation.call import Observation
from proxy.pipeline.constrain import Limits
from proxy.pipeline.identify import Identifier
from proxy.pipeline.once import Once
from proxy.pipeline.run import Gateway
from proxy.upstream.breaker import BreakingTransport
from proxy.upstream.mcp.looking import Looking
from proxy.upstream.pool import PooledTransport
from proxy.upstream.retry import RetryingTransport
from proxy.upstream.service_tokens import ServiceTokens, TokenTransport
from proxy.upstream.standing import Standing

REST_PREFIX = "/api/v1/"
MILLISECONDS = 1000


class DataPlane:
    """Everything one process needs to carry calls; `start` and `stop` frame its life."""

    def __init__(self, *, recorder: Recorder, observation: Observation | None = None) -> None:
        self._limits = LimitTable(max_calls=settings.RATE_LIMIT_MAX, window_ms=settings.RATE_LIMIT_WINDOW_MS)
        self.watcher = Watcher(read_issuers=read_issuers, also=self._limits.read)
        self.issuer_keys = KeyKeeper()
        self.recorder = recorder
        self._pools = PooledTransport()
        self._breakers = BreakingTransport(self._pools, changed=self._breaker_changed)
        self._tries = RetryingTransport(self._breakers)
        self._tokens = ServiceTokens()
        self._transport = TokenTransport(self._tries, self._tokens)
        external = ExternalTokens(self.issuer_keys)
        strangers = Strangers(self._limits, workers=settings.WEB_CONCURRENCY)
        self._identifier = Identifier(self.watcher, external=external, strangers=strangers)
        self._keeping: asyncio.Task[None] | None = None
        self.looking = Looking(backends=self._backends)
        self.health = HealthWatch(every_s=settings.BACKEND_CHECK_S)
        self._bulkhead = Bulkhead()
        self._once, self._ended_sessions = Once(), EndedSessions()
        self._rates = RateLimiter(redis_url=settings.REDIS_URL, workers=settings.WEB_CONCURRENCY)
        self._draining = asyncio.Event()
        # Calls whose servers wait for an answer of the client
        self.waiting = set[asyncio.Task[None]]()
        gateway = Gateway(
            watcher=self.watcher,
            identifier=self._identifier,
            limits=Limits(table=self._limits, rates=self._rates, bulkhead=self._bulkhead),
            once=self._once,
            ended_sessions=self._ended_sessions,
            transport=self._transport,
            lists_changed=self.looking.lists_changed,
            waiting=self.waiting,
            draining=self._draining,
            observation=observation or Observation(),
        )
        self.cors, origins = Cors(settings.CORS_ORIGINS), settings.CORS_ORIGINS
        self._rest = RestEntrypoint(gateway=gateway, recorder=recorder, cors=self.cors)
        self._mcp = McpEntrypoint(gateway=gateway, recorder=recorder, cors=self.cors, origins=origins)
        self._resource_metadata = ResourceMetadata(self.watcher)
        self._openapi = OpenApiDocuments(self.watcher)

    def application_for(self, path: str) -> Application | None:
        """The entry point of `path`, None when the control plane answers there."""
        if path.startswith(REST_PREFIX):
            return self._openapi if self._openapi.answers(path) else self._rest
        if path == MCP_PATH or path.startswith(f"{MCP_PATH}/"):
            return self._mcp
        if path == METADATA_PATH or path.startswith(f"{METADATA_PATH}/"):
            return self._resource_metadata
        return None

    def check_places(self, path: str) -> None:
        """Whether a call of `path` has any prospect of a place at its backend, as far as the path tells.

        It would hear so in its turn. A crowd is told at once, because each of its calls would cost half as much as one
        that is carried.

        Raises:
            Overloaded: it has none.
        """
        if self._bulkhead.is_crowded and (backend := self.watcher.snapshot.backend_at(path)) is not None:
            self._bulkhead.check(backend)

    def standing_of(self, backend: str, upstream_url: str) -> Standing:
        """How a backend stands with this process."""
        plan = self.watcher.snapshot.backends.get(backend)
        fault = self._tokens.fault_of(plan) if plan is not None else None
        in_use, kept = self.connections_of(backend)
        return Standing(
            breaker=self._breakers.state_of(backend, upstream_url),
            usual_ms=self._tries.median_s(backend) * MILLISECONDS,
            in_use=in_use,
            kept=kept,
            token_fault=fault.reason if fault else "",
            token_error=fault.error if fault else "",
        )

    def connections_of(self, backend: str) -> tuple[int, int]:
        """Connections of this process to a backend: in use, and kept for the next call."""
        return self._pools.connections_of(backend)

    def _backends(self) -> Iterable[BackendPlan]:
        return self.watcher.snapshot.backends.values()

    async def start(self) -> None:
        """Read the catalogue, then keep watching it; start the recorder."""
        self.recorder.start()
        # It waits for its first reading
        await asyncio.to_thread(self.watcher.start)
        self.looking.start()
        self.health.start()
        self._keeping = asyncio.create_task(self.issuer_keys.keep(lambda: self.watcher.snapshot.issuers))

    def drain(self) -> None:
        """The process is told to stop: what only waits for something to happen ends at once, calls go on."""
        self._draining.set()

    async def stop(self) -> None:
        """Write what is counted and queued, close every connection, end every thread."""
        if self._keeping is not None:
            self._keeping.cancel()
        for waiting in self.waiting:
            waiting.cancel()
        await asyncio.gather(*self.waiting, return_exceptions=True)
        await self.issuer_keys.close()
        await asyncio.to_thread(self.looking.stop)
        await asyncio.to_thread(self.health.stop)
        await self._once.aclose()
        await self._ended_sessions.aclose()
        await asyncio.to_thread(self.watcher.stop)
        await asyncio.to_thread(self._identifier.close)
        await self._transport.aclose()
        await self._rates.aclose()
        self.recorder.refusals.flush()
        await asyncio.to_thread(self.recorder.stop)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that `application_for` claims.

        Raises:
            LookupError: the path is not the data plane's.
        """
        application = self.application_for(scope["path"])
        if application is None:
            raise LookupError(scope["path"])
        await application(scope, receive, send)

    def _breaker_changed(self, backend: BackendPlan, is_open: bool) -> None:
        self.recorder.post(
            Draft(
                kind=Kind.PROXY_BREAKER_OPENED if is_open else Kind.PROXY_BREAKER_CLOSED,
                decision=Decision.ERROR if is_open else Decision.ALLOW,
                reason="breaker_open" if is_open else "",
                backend=backend.name,
                target=f"backend:{backend.name}",
                request_id="",
            )
        )
