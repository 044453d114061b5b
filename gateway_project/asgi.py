"""The process's ASGI application: through the front door, then to the data plane or to Django."""
# ruff: noqa: E402 - Django's registry must be ready before anything with a model is imported

import asyncio
import gc
import os
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")

import structlog
import uuid_utils
from django.conf import settings

from gateway_project.control_plane import control_plane

django_application = control_plane()

from audit.ledger.closing import UnfinishedCalls
from audit.ledger.events import Draft
from audit.ledger.kinds import Decision, Kind
from audit.ledger.origin import Origin, current_origin, set_origin, truncated_address
from audit.ledger.recorder import AuditUnavailable, recorder
from gateway_project.environment import Environment
from gateway_project.front_door import inspect
from gateway_project.health import Health
from gateway_project.load import Load
from gateway_project.metrics import PATH as METRICS_PATH
from gateway_project.metrics import Metrics, OwnNumbers, counting
from gateway_project.orphan import end_with_parent
from gateway_project.whole_body import has_body, read_whole
from oauth_provider.identities.address import address_behind
from proxy.asgi import DataPlane
from proxy.entrypoints.asgi_types import Message, Receive, Scope, Send
from proxy.entrypoints.responder import Responder
from proxy.limits.addresses import address_network
from proxy.limits.concurrency import AwaitedBodies
from proxy.observation.call import Observation
from proxy.observation.counts import Counts
from proxy.pipeline.call import ClientGone
from proxy.pipeline.record import SERVER_ERROR
from proxy.refusals import Refusal

if TYPE_CHECKING:
    from gateway_project.traces import Traces

CLIENT_ERROR = 400
log = structlog.get_logger(__name__)


class GatewayApplication:
    """One per process; granian drives its lifespan."""

    def __init__(self) -> None:
        self._counts = Counts()
        self._aliases = tuple(f"{prefix}/" for prefix in settings.OAUTH_ALIAS_PREFIXES)
        self._traces = _traces(settings.ENVIRONMENT)
        self._data_plane = DataPlane(recorder=recorder, observation=_observation(self._counts, self._traces))
        self._load = Load(on_drain=self._data_plane.drain)
        self._awaited = AwaitedBodies()
        self._metrics = Metrics(
            OwnNumbers(self._counts, plane=self._data_plane, recorder=recorder, load=self._load),
            token=settings.ENVIRONMENT.METRICS_TOKEN or "",
            workers=settings.WEB_CONCURRENCY,
            data_dir=settings.ENVIRONMENT.DATA_DIR,
        )
        self._unfinished = UnfinishedCalls(longest=self._longest_call)
        self._health = Health(
            watcher=self._data_plane.watcher,
            recorder=recorder,
            load=self._load,
            issuer_keys=self._data_plane.issuer_keys,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(uuid_utils.uuid7())
        address = _address(scope)
        path = scope["path"]
        scope["state"] = {**scope.get("state", {}), "request_id": request_id, "address": address}
        is_health = self._health.answers(path) or path == METRICS_PATH
        called = None if path.startswith(self._aliases) else self._data_plane.application_for(path)
        try:
            # Room comes before anything is looked at: who is turned away must cost next to nothing
            if not is_health:
                self._load.check(is_ordinary=called is not None)
            if called is not None:
                self._data_plane.check_places(path)
            inspect(scope, allowed_hosts=() if is_health else settings.ALLOWED_HOSTS)
        except Refusal as refusal:
            await self._refuse(scope, send, refusal, is_call=called is not None)
            return
        if is_health:
            await (self._metrics if path == METRICS_PATH else self._health)(scope, receive, send)
            return
        if called is None:
            await self._control_plane(scope, receive, send)
            return
        with self._load.carrying(is_ordinary=True):
            await called(scope, receive, send)

    async def _control_plane(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"]
        # The admin shows how this very process gets on with the backends
        state["standing_of"] = self._data_plane.standing_of
        origin = set_origin(Origin(request_id=state["request_id"], address=state["address"]))
        structlog.contextvars.bind_contextvars(request_id=state["request_id"])
        try:
            # Django would write any body to disk, for as long as it takes, before it looks at the request
            with self._load.awaiting() if has_body(scope) else nullcontext():
                limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
                whole = await read_whole(scope, receive, limit=limit, awaited=self._awaited)
            counted = counting(send, self._counts, path=scope["path"], prefixes=settings.OAUTH_ALIAS_PREFIXES)
            with self._load.carrying(is_ordinary=False):
                await django_application(scope, whole, _with_request_id(counted, state["request_id"]))
        except Refusal as refusal:
            await Responder(send, request_id=state["request_id"]).problem(refusal)
        except ClientGone:
            await Responder(send, request_id=state["request_id"]).broken_off()
        finally:
            structlog.contextvars.unbind_contextvars("request_id")
            current_origin.reset(origin)

    async def _refuse(self, scope: Scope, send: Send, refusal: Refusal, *, is_call: bool) -> None:
        state = scope["state"]
        if is_call:
            self._counts.refused(status=refusal.status, reason=refusal.reason)
            if not recorder.refusals.counts(address_network(state["address"]), refusal.reason):
                await self._record_refusal(scope, refusal)
        # A page that may read answers may read that it should come back later, too
        shared = self._data_plane.cors.headers(tuple(scope["headers"])) if is_call else ()
        is_head = scope["method"] == "HEAD"
        await Responder(send, request_id=state["request_id"], shared=shared, head_only=is_head).problem(refusal)

    async def _record_refusal(self, scope: Scope, refusal: Refusal) -> None:
        state = scope["state"]
        draft = Draft(
            kind=Kind.PROXY_CALL_DECIDED,
            decision=Decision.ERROR if refusal.status >= SERVER_ERROR else Decision.DENY,
            reason=refusal.reason,
            method=scope["method"],
            status=refusal.status,
            request_id=state["request_id"],
            address=truncated_address(state["address"]),
        )
        try:
            if recorder.refusals.admits(address_network(state["address"]), draft):
                await recorder.record(draft)
        except AuditUnavailable:
            log.warning("refusal_not_recorded", request_id=state["request_id"], reason=refusal.reason)

    def _longest_call(self) -> timedelta:
        timeouts = [backend.timeout_s for backend in self._data_plane.watcher.snapshot.backends.values()]
        # Without a catalogue the longest that staff can set
        return timedelta(seconds=max(30.0, *timeouts) if timeouts else 600.0)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        end_with_parent()
        try:
            await self._data_plane.start()
        except Exception:
            # Without this message the server would go on and serve a data plane that never started
            log.exception("start_failed")
            await send({"type": "lifespan.startup.failed", "message": "the data plane did not start"})
            return
        self._unfinished.start()
        self._load.start()
        await self._metrics.start()
        _settle_memory()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._load.stop()
        await asyncio.to_thread(self._unfinished.stop)
        await self._data_plane.stop()
        await self._metrics.stop()
        if self._traces is not None:
            await self._traces.stop()
        await send({"type": "lifespan.shutdown.complete"})


def _settle_memory() -> None:
    """Take what is loaded by now out of the garbage collector's sight: it stays for as long as the process.

    A full collection, every few thousand calls, would look at all of it, and everybody wait a tenth of a second.
    Whoever runs this process may have done so before, and knows better what stays.
    """
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


def _traces(environment: Environment) -> "Traces | None":
    if not environment.OTEL_EXPORTER_OTLP_ENDPOINT:
        return None
    # By its name: the library takes 14 MB of a worker that has nowhere to send a trace
    return import_module("gateway_project.traces").Traces(  # type: ignore[no-any-return]
        environment.OTEL_EXPORTER_OTLP_ENDPOINT,
        headers=environment.otlp_headers,
        service=environment.OTEL_SERVICE_NAME,
        ratio=environment.OTEL_TRACES_SAMPLER_ARG,
    )


def _observation(counts: Counts, traces: "Traces | None") -> Observation:
    if traces is None:
        return Observation((counts.ended,))
    return Observation((counts.ended, traces.ended), samples=traces.samples)


def _address(scope: Scope) -> str:
    direct = str((scope.get("client") or ("", 0))[0])
    forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    if not forwarded:
        return direct
    return address_behind(direct=direct, forwarded=",".join(forwarded), trusted=settings.TRUSTED_PROXY_COUNT)


def _with_request_id(send: Send, request_id: str) -> Send:
    header = (b"x-request-id", request_id.encode())

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*_varying(message["headers"]), header]
            if message["status"] >= CLIENT_ERROR and not any(name.lower() == b"cache-control" for name, _ in headers):
                # RFC 9110 section 15.1: a cache may keep a 404 unless it is told not to
                headers.append((b"cache-control", b"no-store"))
            message["headers"] = headers
        await send(message)

    return sending


def _varying(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The same with Origin in Vary: which pages may read an answer is told in it (Fetch standard, section 3.3.5)."""
    said = [value for name, value in headers if name.lower() == b"vary"]
    if any(b"origin" in value.lower() or value.strip() == b"*" for value in said):
        return [*headers]
    return [*(each for each in headers if each[0].lower() != b"vary"), (b"vary", b", ".join([*said, b"Origin"]))]


application = GatewayApplication()
