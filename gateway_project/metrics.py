"""`/metrics`: numbers for Prometheus, of all workers whichever is asked, for whoever may read them."""

import asyncio
import hmac
import json
import os
from bisect import bisect_left
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from django.http.request import split_domain_port
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from audit.ledger.recorder import BATCH_MAX, Recorder
from gateway_project.load import Load
from gateway_project.measured import BATCHES, Measured, Numbers, added_up
from gateway_project.worker_numbers import WorkerNumbers
from proxy.asgi import DataPlane
from proxy.entrypoints.asgi_types import Message, Receive, Scope, Send
from proxy.entrypoints.responder import Responder
from proxy.observation.counts import Counts, Key
from proxy.refusals import MethodNotAllowed, NotRegistered

PATH: Final = "/metrics"
# How old the numbers of another worker may be, in seconds
SHARED_EVERY_S: Final = 2.0
# The authorization server's endpoints, by the path below /oauth/ or an alias
ENDPOINTS: Final = frozenset({"authorize", "token", "revoke", "introspect", "register", "device_authorization"})
# RFC 6749 sections 4.1.2.1 and 5.2, RFC 7591 section 3.2.2, RFC 8628 section 3.5, RFC 8707 section 2
ERRORS: Final = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
     "invalid_scope", "invalid_target", "invalid_redirect_uri", "invalid_client_metadata", "authorization_pending",
     "slow_down", "access_denied", "expired_token", "temporarily_unavailable", "server_error"}
)  # fmt: skip
ERROR_MAX_BYTES: Final = 4096
CLIENT_ERROR: Final = 400
_PROXIED: Final = frozenset({b"forwarded", b"via"})


class Metrics:
    """The ASGI application of `/metrics`; 404 for whoever may not read it. `token` lets in from anywhere."""

    def __init__(self, own: "OwnNumbers", *, token: str, workers: int, data_dir: Path) -> None:
        self._own = own
        self._token = token.encode()
        self._shared = WorkerNumbers(data_dir) if workers > 1 else None
        self._sharing: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one scrape."""
        method = scope["method"]
        responder = Responder(send, request_id=scope["state"]["request_id"], head_only=method == "HEAD")
        if not (_is_from_here(scope) or self._shows_token(scope)):
            await responder.problem(NotRegistered())
            return
        if method not in {"GET", "HEAD"}:
            await responder.problem(MethodNotAllowed(headers=(("allow", "GET, HEAD"),)))
            return
        mine = self._own.read()
        encode, media_type = choose_encoder(_header(scope, b"accept"))
        content = await asyncio.to_thread(self._rendered, mine, encode)
        length = ("content-length", str(len(content)))
        kept = (("cache-control", "no-store"), ("vary", "Origin"))
        await responder.whole(200, (("content-type", media_type), length, *kept), content)

    async def start(self) -> None:
        """Tell the other workers from now on."""
        if self._shared is not None:
            await asyncio.to_thread(self._shared.clear)
            self._sharing = asyncio.create_task(self._share(self._shared))

    async def stop(self) -> None:
        """Tell them for the last time."""
        if self._sharing is not None and self._shared is not None:
            self._sharing.cancel()
            await asyncio.to_thread(self._shared.write, self._own.read())

    async def _share(self, shared: WorkerNumbers) -> None:
        while True:
            await asyncio.to_thread(shared.write, self._own.read())
            await asyncio.sleep(SHARED_EVERY_S)

    def _rendered(self, mine: Numbers, encode: Callable[[Collector], bytes]) -> bytes:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Measured(added_up([mine, *(self._shared.others() if self._shared is not None else [])])))
        return encode(registry)

    def _shows_token(self, scope: Scope) -> bool:
        kind, _blank, token = _header(scope, b"authorization").partition(" ")
        shown = hmac.compare_digest(token.strip().encode("latin-1"), self._token)
        return bool(self._token) and kind.lower() == "bearer" and shown


class OwnNumbers:
    """What this process knows of itself."""

    def __init__(self, counts: Counts, *, plane: DataPlane, recorder: Recorder, load: Load) -> None:
        self._counts = counts
        self._plane = plane
        self._recorder = recorder
        self._load = load

    def read(self) -> Numbers:
        """Now; on the event loop, which counts."""
        audit = self._recorder.numbers
        counters: dict[Key, float] = {
            **self._counts.counters,
            ("audit_written",): audit.written,
            ("audit_refused",): audit.refused,
            ("audit_lost",): audit.lost,
        }
        histograms = {key: list(parts) for key, parts in self._counts.histograms.items()}
        histograms["audit_batch",] = _batches(audit.batches)
        gauges: dict[Key, float] = {
            ("workers",): 1,
            ("in_flight",): self._load.in_flight,
            ("audit_queue",): self._recorder.queued,
            ("audit_unhealthy",): int(not self._recorder.is_healthy),
        }
        for backend in self._plane.watcher.snapshot.backends.values():
            breaker = self._plane.standing_of(backend.name, backend.upstream_url).breaker
            gauges["breaker_open", backend.name] = int(breaker is not None and breaker.is_open)
            gauges["backend_unreachable", backend.name] = int(backend.name in self._plane.health.unreachable)
            in_use, idle = self._plane.connections_of(backend.name)
            gauges["connections", backend.name, "in_use"] = in_use
            gauges["connections", backend.name, "idle"] = idle
        return Numbers(counters, histograms, gauges, (os.getpid(),))


def counting(send: Send, counts: Counts, *, path: str, prefixes: Iterable[str]) -> Send:
    """`send`, which counts what an endpoint of the authorization server answers; as it is for every other path."""
    prefix, _slash, endpoint = path.rstrip("/").rpartition("/")
    if endpoint not in ENDPOINTS or prefix not in {"/oauth", *prefixes}:
        return send
    status = 0

    async def sending(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif status:
            # The first part: an answer of these endpoints has one
            counts.add("oauth", endpoint, _outcome(status, message.get("body", b"")))
            status = 0
        await send(message)

    return sending


def _outcome(status: int, content: bytes) -> str:
    if status < CLIENT_ERROR:
        return "ok"
    try:
        document = json.loads(content) if len(content) <= ERROR_MAX_BYTES else None
    except ValueError:
        document = None
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, str) and error in ERRORS else f"http_{status}"


def _batches(sizes: list[int]) -> list[float]:
    parts = [0.0] * (len(BATCHES) + 2)
    for size in range(1, BATCH_MAX + 1):
        if times := sizes[size]:
            parts[0] += size * times
            parts[bisect_left(BATCHES, size) + 1] += times
    return parts


def _is_from_here(scope: Scope) -> bool:
    """Whether a program on this machine asks for itself: no proxy, and no page that a browser was led to."""
    names = {name for name, _value in scope["headers"]}
    if any(name in _PROXIED or name.startswith(b"x-forwarded-") for name in names) or b"x-real-ip" in names:
        return False
    host, _port = split_domain_port(_header(scope, b"host"))
    client = scope.get("client") or ("", 0)
    return _is_loopback(str(client[0])) and (host == "localhost" or _is_loopback(host.strip("[]")))


def _is_loopback(text: str) -> bool:
    try:
        return ip_address(text).is_loopback
    except ValueError:
        return False


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")
