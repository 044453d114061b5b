"""Whether a backend is there, asked as the data plane would reach it, and what to do if it is not."""

import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest

from proxy.catalogue.models import Backend
from proxy.upstream import probe as module
from proxy.upstream.probe import Probe, probe, probe_all
from tests.proxy.raw_backend import RawBackend, Wire, answer, once


def described(url: str, **changes: Any) -> Backend:
    """A backend at `url`, on this machine and in no hurry."""
    fields: dict[str, Any] = {"name": "jobs", "prefix": "/api/v1/jobs", "upstream_url": url, "allow_private": True}
    return Backend(**(fields | changes))


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port nobody listens on, and nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


async def test_a_backend_that_answers_is_reachable(backend: RawBackend) -> None:
    found = await probe(described(f"{backend.url}/api/v2"))
    assert (found.reachable, found.status, found.advice) == (True, 200, "")
    assert 0 < found.latency_ms < 5000
    assert backend.request.line == "GET /api/v2 HTTP/1.1"


async def test_the_time_is_the_backends_alone(backend: RawBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Backend.tls_context

    def slowly_made(self: Backend) -> ssl.SSLContext:
        time.sleep(0.5)
        return made(self)

    monkeypatch.setattr(Backend, "tls_context", slowly_made)
    assert (await probe(described(backend.url))).latency_ms < 500


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "302 Found"])
async def test_any_answer_shows_that_it_is_there(backend: RawBackend, status: str) -> None:
    backend.says(answer(b"", "Location: http://127.0.0.1:1/", status=status))
    found = await probe(described(backend.url))
    assert (found.reachable, found.advice) == (True, "")


async def test_a_backend_that_fails_is_there_and_needs_a_look(backend: RawBackend) -> None:
    backend.says(answer(status="503 Service Unavailable"))
    found = await probe(described(backend.url))
    assert found.reachable
    assert "503" in found.advice


async def test_no_credential_and_no_identity_is_sent(backend: RawBackend) -> None:
    await probe(described(backend.url, credential_sealed="sealed", identity_headers=["X-Clerk-User-Id"]))
    names = {name.lower() for name, _value in backend.request.headers}
    assert names <= {"host", "user-agent", "accept", "accept-encoding", "connection"}


async def test_the_host_header_keeps_the_name(backend: RawBackend) -> None:
    await probe(described(f"http://localhost:{backend.port}"))
    assert backend.request.header("host") == f"localhost:{backend.port}"


async def test_nobody_listening_is_said(closed_port: int) -> None:
    found = await probe(described(f"http://127.0.0.1:{closed_port}"))
    assert not found.reachable
    assert "Nothing listens" in found.advice


async def test_a_firewall_is_said(full_listener: int) -> None:
    found = await probe(described(f"http://127.0.0.1:{full_listener}", connect_timeout_ms=100))
    assert "Nobody took the connection" in found.advice


async def test_silence_is_said(backend: RawBackend) -> None:
    async def silent(wire: Wire) -> None:
        await wire.until_closed()

    backend.says(silent)
    found = await probe(described(backend.url, timeout_ms=100))
    assert "did not answer in time" in found.advice


async def test_a_trickle_is_cut(backend: RawBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    async def trickle(wire: Wire) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\n")
        await wire.until_closed()

    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.2)
    backend.says(trickle)
    started = time.monotonic()
    found = await probe(described(backend.url))
    assert "did not answer in time" in found.advice
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b""])
async def test_something_else_than_http_is_said(backend: RawBackend, said: bytes) -> None:
    backend.says(once(said))
    assert "scheme and port" in (await probe(described(backend.url))).advice


async def test_plain_http_where_tls_is_spoken_is_said(backend: RawBackend) -> None:
    found = await probe(described(f"https://127.0.0.1:{backend.port}"))
    assert not found.reachable
    assert found.advice.startswith(("TLS failed", "It took the connection", "It did not answer as"))


async def test_a_private_address_needs_the_tick(backend: RawBackend) -> None:
    found = await probe(described(backend.url, allow_private=False))
    assert "internal address" in found.advice
    assert not backend.arrived


async def test_a_metadata_address_is_never_called() -> None:
    found = await probe(described("http://169.254.169.254/"))
    assert not found.reachable
    assert "admin" in found.advice


async def test_a_name_that_leads_nowhere_is_said() -> None:
    found = await probe(described("http://nobody.invalid"))
    assert "has no address" in found.advice


async def test_answers_come_in_the_order_of_the_backends(backend: RawBackend, closed_port: int) -> None:
    rows = [described(f"http://127.0.0.1:{closed_port}", name="a"), described(backend.url, name="b")]
    found: list[Probe] = await probe_all(rows)
    assert [(each.backend, each.reachable) for each in found] == [("a", False), ("b", True)]
