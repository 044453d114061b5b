"""An authority of the test's own, and the certificates it gives."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Given:
    """A certificate and its key, both in PEM."""

    certificate: str
    private: ec.EllipticCurvePrivateKey

    @property
    def key(self) -> str:
        """As staff paste it."""
        return self.encoded(NoEncryption())

    def encoded(self, encryption: KeySerializationEncryption) -> str:
        """The key under a passphrase, or none."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()

    @property
    def locked_key(self) -> str:
        """With a passphrase that the gateway does not know."""
        return self.encoded(BestAvailableEncryption(b"passphrase"))


class Authority:
    """Everybody who trusts it trusts what it signs."""

    def __init__(self, name: str = "Test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        ca = x509.BasicConstraints(ca=True, path_length=0)
        self.pem = _pem(self._signed(self._name, self._key, ca, days=1))

    def give(self, host: str, *, days: int = 1) -> Given:
        """A certificate for `host` that ends in `days`."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        return Given(_pem(self._signed(_named(host), key, names, days=days)), key)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType, *, days: int
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


def server_context(given: Given, *, asks: str = "") -> ssl.SSLContext:
    """A server with that certificate; it lets only clients in whose certificate comes from the authority `asks`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with NamedTemporaryFile() as file:
        Path(file.name).write_text(given.certificate + given.key, encoding="ascii")
        context.load_cert_chain(file.name)
    if asks:
        context.load_verify_locations(cadata=asks)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
