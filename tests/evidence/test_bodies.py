"""Large bodies in either direction, slow readers and events: memory stays where it was, and nothing waits."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from tests.attacks.gateway.conversation import Conversation
from tests.attacks.gateway.field import Field
from tests.attacks.gateway.gateways import run_with
from tests.attacks.gateway.memory import resident_mib
from tests.evidence.bulk import BLOCK, bulk

GROWTH_MIB = 20
READERS, READER_MIB = 10, 4
MIB = 1 << 20
SIZES = [32 * MIB, pytest.param(1024 * MIB, marks=pytest.mark.services)]


@pytest.fixture(scope="module")
def large(field: Field) -> Iterator[str]:
    """The prefix of the backend of large bodies."""
    with bulk() as port:
        run_with(field.variables, "tests.evidence.store_bulk", str(port))
        until = time.monotonic() + 20
        while field.call("/api/v1/bulk/a?0", token="").status != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        yield "/api/v1/bulk"


@pytest.mark.parametrize("size", SIZES)
def test_a_large_download(field: Field, large: str, size: int) -> None:
    before = highest = resident_mib(field.process_id)
    received = 0
    with socket.create_connection(("127.0.0.1", field.port), timeout=60) as wire:
        wire.sendall(field.get(f"{large}/a?{size}", "Connection: close", token=""))
        while data := wire.recv(1 << 20):
            received += len(data)
            if received % 64 == 0:
                highest = max(highest, resident_mib(field.process_id))
    highest = max(highest, resident_mib(field.process_id))
    assert 0 < received - size < 4096
    assert highest - before <= GROWTH_MIB


@pytest.mark.parametrize("size", SIZES)
def test_a_large_upload(field: Field, large: str, size: int) -> None:
    before = highest = resident_mib(field.process_id)
    with Conversation(field.port) as wire:
        wire.write(field.request("POST", f"{large}/a", f"Content-Length: {size}", token=""))
        for number in range(size // len(BLOCK)):
            wire.write(BLOCK)
            if number % 256 == 0:
                highest = max(highest, resident_mib(field.process_id))
        heard = wire.answer(within_s=60)
    assert heard is not None
    assert heard.json() == {"taken": size}
    assert max(highest, resident_mib(field.process_id)) - before <= GROWTH_MIB


def test_readers_who_do_not_read(field: Field, large: str) -> None:
    before = resident_mib(field.process_id)
    with contextlib.ExitStack() as stack:
        for _number in range(READERS):
            wire = stack.enter_context(Conversation(field.port))
            wire.write(field.get(f"{large}/a?{256 * MIB}", token=""))
        time.sleep(1.5)
        filled = resident_mib(field.process_id)
        # The buffers between two sockets, and then nothing more, however long they wait
        assert filled - before <= READERS * READER_MIB
        field.healthy(20)
        time.sleep(2)
        assert resident_mib(field.process_id) - filled <= READER_MIB


def test_an_event_is_there_when_it_is_sent(field: Field, large: str) -> None:
    late = []
    with socket.create_connection(("127.0.0.1", field.port), timeout=5) as wire:
        wire.sendall(field.get(f"{large}/events", "Accept: text/event-stream", "Connection: close", token=""))
        while data := wire.recv(65_536):
            now = time.monotonic()
            late += [now - float(line[6:]) for line in data.decode().split("\n") if line.startswith("data: ")]
    assert len(late) == 3
    # On a machine that does other things too
    assert min(late) < 0.05
