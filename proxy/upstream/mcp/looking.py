"""Look at MCP backends and keep what they say: when staff save one, when it says so itself, and every minute."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from threading import Event as Flag
from threading import Lock, Thread
from typing import Final

import structlog
from django.db import DatabaseError, IntegrityError, connection
from django.dispatch import receiver
from django.utils import timezone

from proxy.catalogue.mcp_backends.content import Look
from proxy.catalogue.mcp_backends.keep import claim, keep_fault, keep_look
from proxy.catalogue.mcp_backends.wanted import look_wanted
from proxy.catalogue.models import Backend, BackendKind
from proxy.catalogue.plans import BackendPlan
from proxy.catalogue.snapshot import UNUSABLE, plan_without_operations
from proxy.refusals import Refusal
from proxy.upstream.mcp.faults import BadStatus, McpFault
from proxy.upstream.mcp.look import look
from proxy.upstream.pool import PooledTransport
from proxy.upstream.service_tokens import ServiceTokens, TokenTransport

# How often a process asks whether it is its turn; who says that its lists changed is asked again no sooner
TRY_EVERY_S: Final = 10.0
WAKE_EVERY_S: Final = 2.0
log = structlog.get_logger(__name__)


def look_now(backends: Sequence[BackendPlan]) -> dict[str, str]:
    """Ask all of `backends` at the same time, within five seconds, and keep what they say.

    Returns the fault of each as a slug, "" for one that answered. Raises DatabaseError.
    """
    at = timezone.now()
    found = asyncio.run(_all(backends))
    faults = {}
    for backend, answer in zip(backends, found, strict=True):
        fault = answer if isinstance(answer, str) else ""
        if isinstance(answer, Look):
            try:
                keep_look(backend=backend.name, look=answer, at=at)
            except IntegrityError:
                # Somebody gave one of its names away at the same moment: the next look finds another one
                fault = "conflict"
        if fault:
            keep_fault(backend=backend.name, reason=fault, at=at)
            log.warning("mcp_backend_not_read", backend=backend.name, fault=fault)
        faults[backend.name] = fault
    return faults


async def _all(backends: Iterable[BackendPlan]) -> list[Look | str]:
    transport = TokenTransport(PooledTransport(), ServiceTokens())
    try:
        return await asyncio.gather(*(_one(backend, transport) for backend in backends))
    finally:
        await transport.aclose()


async def _one(backend: BackendPlan, transport: TokenTransport) -> Look | str:
    try:
        return await look(backend, transport)
    except BadStatus as fault:
        return f"status_{fault.status}"
    except (McpFault, Refusal) as fault:
        return fault.reason
    except Exception:
        # The last fence of a look. What backends do wrong has a name and is caught above; a fault of ours in reading
        # one must neither lose what the others answered, who are asked together, nor undo the save it was asked for
        log.exception("look_crashed", backend=backend.name)
        return "crash"


@receiver(look_wanted)
def look_at_wanted(*, backend: Backend, **_signal: object) -> None:
    """Ask a backend that staff just saved; one that is switched off is left alone."""
    if not backend.enabled:
        return
    try:
        look_now([plan_without_operations(backend.pk)])
    except UNUSABLE:
        keep_fault(backend=backend.name, reason="backend_unusable", at=timezone.now())
    except DatabaseError as fault:
        log.warning("look_not_kept", backend=backend.name, fault=type(fault).__name__)


class Looking:
    """Looks at every enabled MCP backend once a minute, in a thread of its own; of all processes one does."""

    def __init__(self, *, backends: Callable[[], Iterable[BackendPlan]]) -> None:
        self._backends = backends
        self._tried: dict[str, float] = {}
        self._changed: set[str] = set()
        self._lock = Lock()
        self._stopping = Flag()
        self._thread: Thread | None = None

    def lists_changed(self, backend: str) -> None:
        """The backend says that its lists changed (`notifications/…/list_changed`): ask it soon."""
        with self._lock:
            self._changed.add(backend)

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        self._thread = Thread(target=self._run, name="mcp-looking", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a look that is under way ends within its five seconds."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(6)
            self._thread = None

    def turn(self) -> None:
        """Look at those that are due. Raises DatabaseError."""
        with self._lock:
            changed, self._changed = self._changed, set()
        now, due = time.monotonic(), []
        for backend in self._backends():
            if backend.kind != BackendKind.MCP:
                continue
            if now - self._tried.get(backend.name, float("-inf")) < TRY_EVERY_S:
                self._put_off(changed & {backend.name})
                continue
            self._tried[backend.name] = now
            if claim(backend=backend.name, at_once=backend.name in changed):
                due.append(backend)
        if due:
            look_now(due)

    def _put_off(self, changed: set[str]) -> None:
        with self._lock:
            self._changed |= changed

    def _run(self) -> None:
        while not self._stopping.wait(WAKE_EVERY_S):
            try:
                self.turn()
            except DatabaseError as fault:
                log.warning("looks_not_kept", fault=type(fault).__name__)
            except Exception:
                # The last fence of the thread, whatever the fault: without it a change of a backend is never seen
                log.exception("looking_crashed")
            connection.close()
