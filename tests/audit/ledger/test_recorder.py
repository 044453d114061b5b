"""The recorder answers when an event is durable, neither before nor instead."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.ledger.events import Draft, UserRef
from audit.ledger.kinds import Kind
from audit.ledger.models import Event, Subject
from audit.ledger.recorder import AuditUnavailable, Recorder
from audit.ledger.rows import Row, insert_unlogged

PATIENT_S = 20.0


def draft(**fields: Any) -> Draft:
    return Draft(kind=Kind.PROXY_CALL_DECIDED, **fields)


def record(recorder: Recorder, *drafts: Draft, timeout_s: float = PATIENT_S) -> list[BaseException | None]:
    """Record all at once; what became of each."""

    async def together() -> list[BaseException | None]:
        calls = (recorder.record(one, timeout_s) for one in drafts)
        return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(together())


def written(ledger: str) -> set[Any]:
    return set(Event.objects.using(ledger).values_list("pk", flat=True))


@contextmanager
def nobody_else_writes(ledger: str) -> Iterator[None]:
    """Hold the lock that every insert needs."""
    with transaction.atomic(using=ledger), connections[ledger].cursor() as cursor:
        # On SQLite BEGIN IMMEDIATE has it already
        if connections[ledger].vendor == "postgresql":
            cursor.execute("LOCK TABLE audit_event IN EXCLUSIVE MODE")
        yield


def test_an_acknowledged_event_is_there_for_everybody(recorder: Recorder, ledger: str) -> None:
    one = draft(request_id="r-1")
    assert record(recorder, one) == [None]
    assert Event.objects.using(ledger).get(pk=one.id).request_id == "r-1"


def test_what_is_not_durable_is_not_acknowledged(recorder: Recorder, ledger: str) -> None:
    with nobody_else_writes(ledger):
        [outcome] = record(recorder, draft(), timeout_s=0.3)
    assert isinstance(outcome, AuditUnavailable)


def test_an_idle_recorder_writes_at_once(recorder: Recorder) -> None:
    record(recorder, draft())
    took = []
    for _ in range(20):
        began = time.perf_counter()
        record(recorder, draft())
        took.append(time.perf_counter() - began)
    # Half of them: a commit waits for the disk, and the disk has other users
    assert sorted(took)[10] < 0.05


def test_what_gathers_during_a_commit_is_one_transaction_of_at_most_two_hundred(ledger: str) -> None:
    recorder = NotesBatches(alias=ledger)
    recorder.start()
    with nobody_else_writes(ledger):
        first = Thread(target=record, args=(recorder, draft()))
        first.start()
        await_until(lambda: recorder.sizes == [1])
        rest = Thread(target=record, args=(recorder, *(draft() for _ in range(450))))
        rest.start()
        await_until(lambda: recorder.queued == 450)
    first.join()
    rest.join()
    recorder.stop()
    assert recorder.sizes == [1, 200, 200, 50]
    assert len(written(ledger)) == 451


def test_a_bad_event_fails_alone(recorder: Recorder, ledger: str) -> None:
    good, bad, fine = draft(), draft(status=-1), draft()
    outcomes = record(recorder, good, bad, fine)
    assert [type(outcome) for outcome in outcomes] == [type(None), AuditUnavailable, type(None)]
    assert written(ledger) == {good.id, fine.id}
    assert recorder.is_healthy


def test_a_ledger_that_cannot_be_written_refuses_and_recovers(recorder: Recorder, ledger: str) -> None:
    with broken(ledger):
        [outcome] = record(recorder, draft())
        assert isinstance(outcome, AuditUnavailable)
        assert not recorder.is_healthy
    lost = written(ledger)
    assert lost == set()
    # Nobody calls while the process is not ready
    await_until(lambda: recorder.is_healthy)
    assert written(ledger) == set(), "finding out leaves nothing behind"
    assert record(recorder, draft()) == [None]


def test_a_commit_that_hangs_is_not_healthy(recorder: Recorder, ledger: str) -> None:
    with nobody_else_writes(ledger):
        record(recorder, draft(), timeout_s=0.1)
        await_until(lambda: not recorder.is_healthy)
    await_until(lambda: recorder.is_healthy)


def test_a_commit_whose_answer_was_lost_is_written_once(
    recorder: Recorder, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The moment after which nobody knows
    answered = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]  # noqa: SLF001
    lost: list[BaseDatabaseWrapper] = []

    def commit_and_lose_the_answer(self: BaseDatabaseWrapper) -> None:
        answered(self)
        if self.alias == ledger and not lost:
            lost.append(self)
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit_and_lose_the_answer)
    # Somebody new, so that there is more than one statement to commit
    drafts = [draft(user=UserRef(1, "user_1")) for _ in range(5)]
    assert record(recorder, *drafts) == [None] * 5
    assert lost
    assert written(ledger) == {one.id for one in drafts}


def test_a_single_statement_whose_answer_was_lost_is_written_once(
    recorder: Recorder, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[BaseDatabaseWrapper] = []

    def insert_and_lose_the_answer(connection: BaseDatabaseWrapper, rows: Sequence[Row]) -> None:
        insert_unlogged(connection, rows)
        if not lost:
            lost.append(connection)
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("audit.ledger.recorder.insert_unlogged", insert_and_lose_the_answer)
    drafts = [draft() for _ in range(5)]
    assert record(recorder, *drafts) == [None] * 5
    assert lost
    assert written(ledger) == {one.id for one in drafts}


@pytest.mark.services
def test_a_connection_the_server_ended_is_made_anew(recorder: Recorder, ledger: str) -> None:
    record(recorder, draft())
    with connections[ledger].cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert record(recorder, draft()) == [None]


def test_several_writers_lose_nothing_and_agree_on_people(ledger: str) -> None:
    recorders = [Recorder(alias=ledger) for _ in range(3)]
    batches = [
        [draft(user=UserRef(number % 7, f"user_{number % 7}")) for number in range(200)] for _recorder in recorders
    ]
    for recorder in recorders:
        recorder.start()
    threads = [Thread(target=record, args=(r, *batch)) for r, batch in zip(recorders, batches, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for recorder in recorders:
        recorder.stop()
    assert written(ledger) == {one.id for batch in batches for one in batch}
    assert Subject.objects.using(ledger).count() == 7
    assert Event.objects.using(ledger).values("subject").distinct().count() == 7


def test_stopping_writes_what_is_queued(ledger: str) -> None:
    recorder = NotesBatches(alias=ledger)
    recorder.start()
    with nobody_else_writes(ledger):
        calls = Thread(target=record, args=(recorder, *(draft() for _ in range(300))))
        calls.start()
        await_until(lambda: recorder.queued + sum(recorder.sizes) == 300)
    recorder.stop()
    calls.join()
    assert len(written(ledger)) == 300


def test_a_recorder_that_does_not_run_refuses(ledger: str) -> None:
    recorder = Recorder(alias=ledger)
    before = record(recorder, draft())
    recorder.start()
    recorder.stop()
    after = record(recorder, draft())
    assert [type(outcome) for outcome in (*before, *after)] == [AuditUnavailable] * 2
    assert not recorder.is_healthy


def test_a_full_queue_refuses_at_once(ledger: str) -> None:
    recorder = Recorder(alias=ledger, queue_max=10)
    recorder.start()
    with nobody_else_writes(ledger):
        began = time.monotonic()
        outcomes = record(recorder, *(draft() for _ in range(40)), timeout_s=0.5)
        assert time.monotonic() - began < 2
    recorder.stop()
    assert {type(outcome) for outcome in outcomes} == {AuditUnavailable}
    assert len(written(ledger)) < 40


def test_a_call_that_was_given_up_does_not_stop_the_others(recorder: Recorder, ledger: str) -> None:
    async def give_up_and_go_on() -> None:
        leaving = asyncio.create_task(recorder.record(draft()))
        await asyncio.sleep(0)
        leaving.cancel()
        await recorder.record(draft(), PATIENT_S)

    asyncio.run(give_up_and_go_on())
    assert len(written(ledger)) == 2


class NotesBatches(Recorder):
    """Remembers how many events each transaction had."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sizes: list[int] = []

    def _write_batch(self, drafts: list[Draft]) -> list[Exception | None]:
        self.sizes.append(len(drafts))
        return super()._write_batch(drafts)


@contextmanager
def broken(ledger: str) -> Iterator[None]:
    """Every statement of the ledger fails as if its server were gone."""

    def gone(*_arguments: object) -> None:
        raise InterfaceError("connection already closed")

    connected = BaseDatabaseWrapper.ensure_connection

    def refuse(self: BaseDatabaseWrapper) -> None:
        if self.alias == ledger:
            gone()
        connected(self)

    with pytest.MonkeyPatch.context() as patch:
        connections[ledger].close()
        patch.setattr(BaseDatabaseWrapper, "ensure_connection", refuse)
        patch.setattr(BaseDatabaseWrapper, "_cursor", gone)
        yield


def await_until(condition: Any) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + PATIENT_S
    while not condition():
        assert time.monotonic() < deadline, "it never came to it"
        time.sleep(0.01)
