"""TLS to a backend: the name is asked for and proven, at the address that was checked, and nothing weaker is spoken."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from proxy.refusals import BackendUnreachable
from proxy.upstream.pool import PooledTransport
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import answer
from tests.proxy.upstream.calls import request, whole

NAME = "jobs.internal"


class Authority:
    """An authority of the test's own, and the certificates it gives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        self.certificate = self._signed(self._name, self._key, x509.BasicConstraints(ca=True, path_length=0))
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def context(self, host: str, *, days: int = 1) -> ssl.SSLContext:
        """A server's context with a certificate for `host` that ends in `days`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._signed(subject, key, x509.SubjectAlternativeName([x509.DNSName(host)]), days=days)
        path = self._folder / f"{host}{days}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType, *, days: int = 1
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(extension, critical=True)
            .sign(self._key, hashes.SHA256())
        )


class Served:
    """A TLS server: where it listens, the names it was asked for and the requests it read."""

    def __init__(self) -> None:
        self.port = 0
        self.asked_for: list[str | None] = []
        self.read: list[bytes] = []


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Trusted by the transport of the test."""
    return Authority(tmp_path)


@pytest.fixture
async def transport(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PooledTransport]:
    """A transport that trusts the test's authority; the name leads to this machine."""

    async def here(host: str, port: int, **_kwargs: object) -> list[object]:
        assert host == NAME
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", here)
    made = PooledTransport()
    made._tls.load_verify_locations(cadata=authority.pem)  # noqa: SLF001 - there is no other way to trust anybody
    yield made
    await made.aclose()


@asynccontextmanager
async def serving(context: ssl.SSLContext) -> AsyncIterator[Served]:
    """A server that answers every request."""
    served = Served()
    context.sni_callback = lambda _socket, name, _context: served.asked_for.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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


async def call(transport: PooledTransport, served: Served) -> bytes:
    """One call to the server by its name."""
    return await whole(await transport.send(backend_plan(f"https://{NAME}:{served.port}"), request()))


async def test_the_name_is_asked_for_and_the_checked_address_connected_to(
    transport: PooledTransport, authority: Authority
) -> None:
    async with serving(authority.context(NAME)) as served:
        assert [await call(transport, served) for _time in range(3)] == [b"over TLS"] * 3
        assert served.asked_for == [NAME]
        assert f"\r\nhost: {NAME}:{served.port}\r\n".encode() in served.read[0]


@pytest.mark.parametrize(("host", "days"), [("other.internal", 1), (f"evil.{NAME}", 1), (NAME, -1)])
async def test_a_certificate_for_another_name_or_time_is_refused(
    transport: PooledTransport, authority: Authority, host: str, days: int
) -> None:
    async with serving(authority.context(host, days=days)) as served:
        with pytest.raises(BackendUnreachable):
            await call(transport, served)
        assert served.read == []


async def test_a_certificate_of_an_unknown_authority_is_refused(transport: PooledTransport, tmp_path: Path) -> None:
    stranger = Authority(tmp_path)
    async with serving(stranger.context(NAME)) as served:
        with pytest.raises(BackendUnreachable):
            await call(transport, served)
        assert served.read == []


async def test_a_version_that_nobody_should_speak_is_refused(transport: PooledTransport, authority: Authority) -> None:
    old = authority.context(NAME)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    async with serving(old) as served:
        with pytest.raises(BackendUnreachable):
            await call(transport, served)
        assert served.read == []


async def test_a_backend_that_does_not_speak_tls_is_unreachable(transport: PooledTransport) -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"in the clear"))
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        served = Served()
        served.port = server.sockets[0].getsockname()[1]
        with pytest.raises(BackendUnreachable):
            await call(transport, served)
