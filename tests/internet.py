"""An internet of a test's own: names lead to public addresses, and those to TLS servers here with an authority of ours.

What the product connects to is seen at the address it chose: a connection to anything else is a failure of the test.
"""

import datetime as dt
import http.server
import ipaddress
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from oauth_provider.outbound import network

PUBLIC_ADDRESS = "93.184.215.14"
Exchange = Callable[["Visit"], None]


@dataclass
class Visit:
    """One request as a host received it, and how to answer it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    handler: http.server.BaseHTTPRequestHandler = field(repr=False)

    def answer(self, body: bytes, *, status: int = 200, **headers: str) -> None:
        """Send a whole answer; underscores in names of headers are dashes."""
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        self.handler.send_response(status)
        for name, value in ({"content-type": "application/json", "content-length": str(len(body))} | named).items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.handler.wfile.write(data)
        self.handler.wfile.flush()


@dataclass
class Internet:
    """Which names lead where, what hosts answer, and what was connected to."""

    authority: "Authority"
    addresses: dict[str, list[list[str]]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    resolved: list[str] = field(default_factory=list)
    connected: list[tuple[str, int]] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    servers: list[http.server.ThreadingHTTPServer] = field(default_factory=list)

    def host(self, name: str, answer: Exchange, *, address: str = "", certificate_for: str = "") -> None:
        """Let `name` be served by `answer` at a public address."""
        address = address or f"93.184.215.{14 + len(self.servers)}"
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler(answer))
        server.daemon_threads = True
        server.handle_error = lambda *_args: None  # type: ignore[method-assign]  # clients hang up on purpose
        context = self.authority.context_for(certificate_for or name)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.servers.append(server)
        self.ports[address] = server.server_address[1]
        self.addresses.setdefault(name, [[address]])

    def leads(self, name: str, *answers: list[str]) -> None:
        """What the resolver says about `name`, from one question to the next; the last answer stays."""
        self.addresses[name] = list(answers)

    def resolve(self, host: str, port: int) -> list[str]:
        """In place of the resolver."""
        self.resolved.append(host)
        with suppress(ValueError):
            return [str(ipaddress.ip_address(host))]
        answers = self.addresses.get(host)
        if answers is None:
            raise socket.gaierror(f"{host}:{port}")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address: str, port: int, *, timeout_s: float) -> socket.socket:
        """In place of the network."""
        self.connected.append((address, port))
        if address not in self.ports:
            raise ConnectionRefusedError
        return socket.create_connection(("127.0.0.1", self.ports[address]), timeout=timeout_s)

    def stop(self) -> None:
        """Stop every host."""
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def _handler(self, answer: Exchange) -> type[http.server.BaseHTTPRequestHandler]:
        visits = self.visits

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                visit = Visit(self.command, self.path, headers, self.rfile.read(length), self)
                visits.append(visit)
                answer(visit)

            do_POST = do_GET  # noqa: N815 - the library's name

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        return Handler


class Authority:
    """A certificate authority that only the test trusts."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
        self._certificate = self._certify(self._name, self._key.public_key(), authority=True)
        self._folder = Path(tempfile.mkdtemp(prefix="gatehouse-authority-"))

    def client_context(self) -> ssl.SSLContext:
        """What trusts this authority and no other."""
        pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def context_for(self, name: str) -> ssl.SSLContext:
        """What serves `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Host of the tests")])
        certificate = self._certify(subject, key.public_key(), host=name)
        file = self._folder / f"{x509.random_serial_number()}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        file.unlink()
        return context

    def _certify(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey, *, host: str = "", authority: bool = False
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([_named(host)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@cache
def the_authority() -> Authority:
    """One for the whole run: what it certifies is made anew for each host."""
    return Authority()


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Internet]:
    """The network that the product sees."""
    found = Internet(the_authority())
    monkeypatch.setattr(network, "resolve", found.resolve)
    monkeypatch.setattr(network, "connect", found.connect)
    trusting = found.authority.client_context()
    monkeypatch.setattr(network, "tls", lambda: trusting)
    yield found
    found.stop()
