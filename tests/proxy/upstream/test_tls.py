"""TLS to a backend (G10): its name is proven, ours too where it asks, and nothing weaker is spoken."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from oauth_provider.keys.encryption import encrypt
from proxy.catalogue.plans import BackendPlan
from proxy.catalogue.tls import tls_context
from proxy.refusals import BackendClosed, BackendFault, BackendUnreachable
from proxy.upstream.pool import PooledTransport
from tests.proxy.authority import Authority, Given, server_context
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import answer
from tests.proxy.upstream.calls import pieces, request, whole

NAME = "jobs.internal"
MIB = 1 << 20
CERTIFICATE = "backend_certificate_refused"
FAILED = "backend_tls_failed"


@dataclass
class Served:
    """A TLS server: where it listens, the names it was asked for, who came and how often, the requests it read."""

    port: int = 0
    asked_for: list[str | None] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    read: list[bytes] = field(default_factory=list)


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Trusted by the gateway."""
    return Authority()


@pytest.fixture
async def transport(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PooledTransport]:
    """A transport for which the name leads to this machine."""

    async def here(host: str, port: int, **_kwargs: object) -> list[object]:
        assert host == NAME
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", here)
    made = PooledTransport()
    yield made
    await made.aclose()


@asynccontextmanager
async def serving(context: ssl.SSLContext) -> AsyncIterator[Served]:
    """A server that answers every request."""
    served = Served()
    context.sni_callback = lambda _socket, name, _context: served.asked_for.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = writer.get_extra_info("peercert") or {}
        served.callers.append("".join(value for part in shown.get("subject", ()) for _name, value in part))
        while not reader.at_eof():
            try:
                served.read.append(await reader.readuntil(b"\r\n\r\n"))
            except asyncio.IncompleteReadError:
                break
            writer.write(answer(b"over TLS"))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        served.port = server.sockets[0].getsockname()[1]
        yield served


def plan(served: Served, *, ca: str = "", shown: Given | None = None, name: str = "jobs") -> BackendPlan:
    """The server as the catalogue has it."""
    sealed = {"certificate": shown.certificate, "key_sealed": encrypt(shown.key.encode())} if shown else {}
    return backend_plan(f"https://{NAME}:{served.port}", name=name, tls=tls_context(ca=ca, **sealed))


async def call(transport: PooledTransport, backend: BackendPlan) -> bytes:
    """One call to the server by its name."""
    return await whole(await transport.send(backend, request()))


async def refused(transport: PooledTransport, served: Served, *, ca: str = "", shown: Given | None = None) -> str:
    """Why the call was not carried out; nothing of it arrived."""
    with pytest.raises(BackendFault) as refusal:
        await call(transport, plan(served, ca=ca, shown=shown))
    assert served.read == []
    return refusal.value.reason


@pytest.mark.usefixtures("proven")
async def test_the_name_is_asked_for_and_the_checked_address_connected_to(
    transport: PooledTransport, authority: Authority
) -> None:
    async with serving(server_context(authority.give(NAME))) as served:
        there = plan(served, ca=authority.pem)
        assert [await call(transport, there) for _time in range(3)] == [b"over TLS"] * 3
        assert served.asked_for == [NAME]
        assert f"\r\nhost: {NAME}:{served.port}\r\n".encode() in served.read[0]


async def test_a_server_that_says_goodbye_before_the_body_is_sent_has_not_answered(
    transport: PooledTransport, authority: Authority
) -> None:
    gone = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await gone.wait()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(authority.give(NAME))) as server:
        there = plan(Served(port=server.sockets[0].getsockname()[1]), ca=authority.pem)
        sent = request("POST", "/jobs", ("content-length", str(64 * MIB)), body=pieces(*[b"x" * MIB] * 64))
        with pytest.raises(BackendClosed):
            async with asyncio.timeout(5):
                await transport.send(there, sent)
        gone.set()


@pytest.mark.parametrize(("host", "days"), [("other.internal", 1), (f"evil.{NAME}", 1), (NAME, -1)])
async def test_a_certificate_for_another_name_or_time_is_refused(
    transport: PooledTransport, authority: Authority, host: str, days: int
) -> None:
    async with serving(server_context(authority.give(host, days=days))) as served:
        assert await refused(transport, served, ca=authority.pem) == CERTIFICATE


async def test_a_certificate_of_an_unknown_authority_is_refused(
    transport: PooledTransport, authority: Authority
) -> None:
    stranger = Authority("Test authority")
    async with serving(server_context(stranger.give(NAME))) as served:
        assert await refused(transport, served, ca=authority.pem) == CERTIFICATE
        assert await refused(transport, served) == CERTIFICATE


async def test_a_server_whose_own_certificate_is_trusted_needs_no_authority(
    transport: PooledTransport, authority: Authority
) -> None:
    given, other = authority.give(NAME), authority.give(NAME)
    async with serving(server_context(given)) as served:
        assert await call(transport, plan(served, ca=given.certificate)) == b"over TLS"
    async with serving(server_context(other)) as served:
        assert await refused(transport, served, ca=given.certificate) == CERTIFICATE


async def test_a_version_that_nobody_should_speak_is_refused(transport: PooledTransport, authority: Authority) -> None:
    old = server_context(authority.give(NAME))
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    async with serving(old) as served:
        assert await refused(transport, served, ca=authority.pem) == FAILED


async def test_a_backend_that_does_not_speak_tls_is_unreachable(transport: PooledTransport) -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"in the clear"))
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        assert await refused(transport, Served(port=server.sockets[0].getsockname()[1])) == FAILED


@pytest.mark.parametrize(
    ("version", "reason"),
    [(ssl.TLSVersion.TLSv1_2, FAILED), (ssl.TLSVersion.TLSv1_3, "backend_closed_after_handshake")],
)
async def test_a_backend_that_asks_for_a_certificate_gets_the_one_of_its_own(
    transport: PooledTransport, authority: Authority, version: ssl.TLSVersion, reason: str
) -> None:
    context = server_context(authority.give(NAME), asks=authority.pem)
    context.minimum_version = context.maximum_version = version
    async with serving(context) as served:
        assert await refused(transport, served, ca=authority.pem) == reason
        stranger = Authority("Test authority").give("gateway")
        assert await refused(transport, served, ca=authority.pem, shown=stranger) == reason
        there = plan(served, ca=authority.pem, shown=authority.give("gateway"))
        assert await call(transport, there) == b"over TLS"
        assert served.callers[-1] == "gateway"


@pytest.mark.usefixtures("proven")
async def test_a_connection_is_never_used_with_another_certificate_or_for_another_backend(
    transport: PooledTransport, authority: Authority
) -> None:
    old, new = authority.give("old"), authority.give("new")
    async with serving(server_context(authority.give(NAME), asks=authority.pem)) as served:
        before, after = (plan(served, ca=authority.pem, shown=shown) for shown in (old, new))
        for there in (before, before, after, after):
            await call(transport, there)
        assert served.callers == ["old", "new"]
        await call(transport, replace(after, name="other"))
        assert served.callers == ["old", "new", "new"]


async def test_who_is_not_trusted_any_more_is_not_called_on_a_kept_connection(
    transport: PooledTransport, authority: Authority
) -> None:
    async with serving(server_context(authority.give(NAME))) as served:
        await call(transport, plan(served, ca=authority.pem))
        with pytest.raises(BackendUnreachable):
            await call(transport, plan(served, ca=Authority("Another authority").pem))
        assert len(served.read) == 1


def test_a_context_is_built_once_and_cannot_be_told_not_to_verify(authority: Authority) -> None:
    given = authority.give("gateway")
    sealed = encrypt(given.key.encode())
    made = [tls_context(ca=authority.pem, certificate=given.certificate, key_sealed=sealed) for _time in range(2)]
    assert made[0] is made[1]
    assert (made[0].verify_mode, made[0].check_hostname) == (ssl.CERT_REQUIRED, True)
    assert made[0].minimum_version == ssl.TLSVersion.TLSv1_2
