"""The data plane's way into the ledger: one thread, one transaction per batch, durable before it is acknowledged.

Natural group commit: while one batch commits, the next one gathers. An idle process writes an event at once, a busy
one pays one commit for up to 200 events.
"""

import asyncio
import time
from collections import ChainMap, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock, Thread

import structlog
from django.db import Error, InterfaceError, OperationalError, connections, transaction

from audit.ledger.events import Draft, UserRef
from audit.ledger.flood import RefusalFlood
from audit.ledger.kinds import Kind
from audit.ledger.rows import AT_ONCE, insert_unlogged, missing_rows, resolve, row_of, users_of

AUDIT_ALIAS = "audit"
BATCH_MAX = 200
QUEUE_MAX = 10_000
CACHE_MAX = 50_000
FLUSH_TIMEOUT_S = 10.0
PROBE_S = 1.0
STALL_S = 2.0

log = structlog.get_logger(__name__)


class AuditUnavailable(Exception):
    """The event is not known to be durable: the work it tells of must not go on."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    draft: Draft
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]


@dataclass(slots=True)
class Numbers:
    """What became of events since the process started, for whoever watches; each written by one thread alone.

    `batches[n]` is how many batches had n events. `refused` were not written, and their callers told so; `lost` had
    nobody who waited for them.
    """

    batches: list[int] = field(default_factory=lambda: [0] * (BATCH_MAX + 1))
    written: int = 0
    refused: int = 0
    lost: int = 0


Outcome = tuple[asyncio.Future[None], Exception | None]


class Recorder:
    """Writes drafts through database alias `alias` from a thread of its own; one per process."""

    def __init__(self, *, alias: str = AUDIT_ALIAS, batch_max: int = BATCH_MAX, queue_max: int = QUEUE_MAX) -> None:
        self._alias = alias
        self._batch_max = batch_max
        self._queue_max = queue_max
        # None is the last that is ever put into it
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._lock = Lock()
        self._stopping = False
        self._thread: Thread | None = None
        self._pseudonyms: dict[UserRef, str] = {}
        self._failures = 0
        self._writing_since: float | None = None
        self.refusals = RefusalFlood(self.post)
        self.numbers = Numbers()

    @property
    def queued(self) -> int:
        """Events that wait for the next batch."""
        return self._queue.qsize()

    @property
    def is_healthy(self) -> bool:
        """The thread runs, its last batch became durable, and the present one takes no longer than it may."""
        if self._thread is None or not self._thread.is_alive() or self._failures:
            return False
        since = self._writing_since
        return since is None or time.monotonic() - since < STALL_S

    def start(self) -> None:
        """Start the thread; does nothing when it runs. Call it after forking, never before."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._queue, self._stopping = SimpleQueue(), False
        self._thread = Thread(target=self._run, name="audit-recorder", daemon=True)
        self._thread.start()

    def stop(self, *, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Write what is queued, then end the thread; later calls of `record` are refused."""
        with self._lock:
            self._stopping = True
            self._queue.put(None)
        if self._thread is not None:
            self._thread.join(timeout_s)
            self._thread = None

    async def record(self, draft: Draft, timeout_s: float = 0.25) -> None:
        """Return once `draft` is committed.

        Raises AuditUnavailable when it is not within `timeout_s`: it may still become durable later, never twice.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._enqueue(_Waiting(draft, loop, future))
        late = loop.call_later(timeout_s, _give_up, future)
        try:
            await future
        finally:
            late.cancel()

    def post(self, draft: Draft) -> None:
        """Write `draft` soon, for nobody who waits; that the ledger did not take it is only logged."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        future.add_done_callback(self._note_loss)
        try:
            self._enqueue(_Waiting(draft, loop, future))
        except AuditUnavailable as fault:
            future.set_exception(fault)

    def _note_loss(self, future: asyncio.Future[None]) -> None:
        if not future.cancelled() and (fault := future.exception()) is not None:
            self.numbers.lost += 1
            log.warning("audit_note_lost", fault=str(fault))

    def _enqueue(self, waiting: _Waiting) -> None:
        with self._lock:
            if self._thread is None or self._stopping:
                raise AuditUnavailable("The recorder does not run.")
            if self._queue.qsize() >= self._queue_max:
                raise AuditUnavailable("The recorder's queue is full.")
            self._queue.put(waiting)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            batch, is_last = self._take()
            self._writing_since = time.monotonic()
            if batch:
                errors = self._write_batch([waiting.draft for waiting in batch])
                self._count(errors)
                _acknowledge(batch, errors)
            elif not is_last:
                self._probe()
        connections[self._alias].close()

    def _count(self, errors: Sequence[Exception | None]) -> None:
        numbers, refused = self.numbers, sum(error is not None for error in errors)
        numbers.batches[min(len(errors), BATCH_MAX)] += 1
        numbers.refused += refused
        numbers.written += len(errors) - refused

    def _take(self) -> tuple[list[_Waiting], bool]:
        """What waits, at most a batch of it, and whether nothing comes after it."""
        self._writing_since = None
        batch: list[_Waiting] = []
        with suppress(Empty):
            # A process that is not ready gets no calls: it must find out by itself that it could be
            waiting = self._queue.get(timeout=PROBE_S if self._failures else None)
            while waiting is not None:
                batch.append(waiting)
                if len(batch) == self._batch_max:
                    return batch, False
                waiting = self._queue.get_nowait()
            return batch, True
        return batch, False

    def _probe(self) -> None:
        row = row_of(Draft(kind=Kind.SYSTEM_PROCESS_STARTED), {})
        try:
            with transaction.atomic(using=self._alias):
                insert_unlogged(connections[self._alias], [row])
                transaction.set_rollback(True, using=self._alias)
        except Error:
            connections[self._alias].close()
        else:
            self._failures = 0

    def _write_batch(self, drafts: list[Draft]) -> list[Exception | None]:
        try:
            self._commit(drafts)
        except (OperationalError, InterfaceError) as error:
            log.warning("audit_batch_retried", events=len(drafts), error=type(error).__name__)
            return self._after_lost_connection(drafts)
        except Exception as error:  # noqa: BLE001 - one bad draft must fail alone, and the thread must live
            log.warning("audit_batch_split", events=len(drafts), error=type(error).__name__)
            return [self._commit_again([draft]) for draft in drafts]
        self._failures = 0
        return [None] * len(drafts)

    def _after_lost_connection(self, drafts: list[Draft]) -> list[Exception | None]:
        connections[self._alias].close()
        error = self._commit_again(drafts)
        if error is None or isinstance(error, OperationalError | InterfaceError):
            return [error] * len(drafts)
        return [self._commit_again([draft]) for draft in drafts]

    def _commit_again(self, drafts: list[Draft]) -> Exception | None:
        try:
            self._commit(drafts, again=True)
        except Exception as error:  # noqa: BLE001 - reported to the callers who sent the drafts
            self._note_failure(error, events=len(drafts))
            return error
        self._failures = 0
        return None

    def _note_failure(self, error: Exception, *, events: int) -> None:
        if isinstance(error, OperationalError | InterfaceError):
            self._failures += 1
            log.error("audit_unavailable", events=events, error=type(error).__name__)
            connections[self._alias].close()
        else:
            log.error("audit_event_refused", events=events, error=type(error).__name__)

    def _commit(self, drafts: Sequence[Draft], *, again: bool = False) -> None:
        # One by one: the difference of a set and a dictionary's keys would visit every key remembered
        unknown = {user for user in users_of(drafts) if user not in self._pseudonyms}
        if not unknown and not again and len(drafts) <= AT_ONCE:
            # Nothing to hold together: two statements less, for each of which this thread would wait for its turn
            insert_unlogged(connections[self._alias], [row_of(draft, self._pseudonyms) for draft in drafts])
            return
        with transaction.atomic(using=self._alias):
            found = resolve(self._alias, unknown)
            pseudonyms = ChainMap(found, self._pseudonyms)
            rows = [row_of(draft, pseudonyms) for draft in drafts]
            # A commit whose answer was lost may have happened
            insert_unlogged(connections[self._alias], missing_rows(self._alias, rows) if again else rows)
        # Only now: a pseudonym of a transaction that rolled back stands for nobody
        if len(self._pseudonyms) > CACHE_MAX:
            self._pseudonyms = {}
        self._pseudonyms.update(found)


def _acknowledge(batch: Sequence[_Waiting], errors: Sequence[Exception | None]) -> None:
    """Wake every caller with one call per event loop, not one per event."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[Outcome]] = defaultdict(list)
    for waiting, error in zip(batch, errors, strict=True):
        by_loop[waiting.loop].append((waiting.future, error))
    for loop, outcomes in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, outcomes)
        except RuntimeError:
            # The loop closed while its events were written: nobody waits any more
            log.info("audit_caller_gone", events=len(outcomes))


def _give_up(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(AuditUnavailable("The ledger did not acknowledge in time."))


def _settle(outcomes: Sequence[Outcome]) -> None:
    for future, error in outcomes:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            refusal = AuditUnavailable("The ledger refused the event.")
            refusal.__cause__ = error
            future.set_exception(refusal)


recorder = Recorder()
