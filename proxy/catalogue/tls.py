"""TLS to one backend: whom the gateway trusts and what it shows, checked when it is typed and built once."""

import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from tempfile import NamedTemporaryFile
from typing import Final

import certifi
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.utils.translation import gettext as _

from oauth_provider.keys.encryption import decrypt

MAX_PEM: Final = 65_536
# Contexts of backends with something of their own; building one takes milliseconds, a snapshot needs all of them
CONTEXTS: Final = 4096


class BadPem(ValueError):
    """What was typed cannot be used; the message is for the person who typed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What staff are shown of a certificate."""

    subject: str
    expires_at: datetime


def tls_context(*, ca: str = "", certificate: str = "", key_sealed: str = "") -> ssl.SSLContext:
    """What calls of one backend are secured with: certificates are verified, always, and TLS is 1.2 at least.

    Args:
        ca: PEM of those it trusts, and of nobody else; "" for the public authorities.
        certificate: PEM of the client's certificate and what leads from it to its authority; "" for none.
        key_sealed: its key in PEM, encrypted at rest.

    Raises:
        Undecipherable: no key of ENCRYPTION_KEYS opens it.
        BadPem: one of them cannot be used.
    """
    return _built(ca, certificate, key_sealed if certificate else "")


@lru_cache(maxsize=CONTEXTS)
def _built(ca: str, certificate: str, key_sealed: str) -> ssl.SSLContext:
    # The same object for the same input: connections are told apart by it
    return _context(ca, certificate, decrypt(key_sealed).decode() if key_sealed else "")


def tls_faults(*, ca: str, certificate: str, key: str) -> dict[str, str]:
    """What is wrong with each of them, by the names they have in the management API; they are built to find out."""
    faults: dict[str, str] = {}
    for name, value, read in (("ca", ca, certificates), ("client_certificate", certificate, certificates)):
        _note(faults, name, value, read)
    _note(faults, "client_key", key, _private_key)
    if bool(certificate) != bool(key) and not faults:
        missing = "client_key" if certificate else "client_certificate"
        faults[missing] = _("A client certificate and its key belong together.")
    if faults:
        return faults
    try:
        _context(ca, "", "")
    except BadPem as fault:
        return {"ca": str(fault)}
    try:
        _context("", certificate, key)
    except BadPem as fault:
        return {"client_key": str(fault)}
    return {}


def certificates(pem: str) -> list[x509.Certificate]:
    """The certificates of `pem`, one at least.

    Raises:
        BadPem: it has none, or something else.
    """
    if len(pem) > MAX_PEM:
        raise BadPem(_("At most %(longest)s characters.") % {"longest": MAX_PEM})
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise BadPem(_("Paste certificates in PEM: -----BEGIN CERTIFICATE----- …")) from None


def facts(pem: str) -> list[CertificateFacts]:
    """What staff are shown of `pem`; nothing when it cannot be read."""
    try:
        found = certificates(pem) if pem else []
    except BadPem:
        return []
    return [
        CertificateFacts(subject=each.subject.rfc4514_string(), expires_at=each.not_valid_after_utc) for each in found
    ]


def _note(faults: dict[str, str], name: str, value: str, read: Callable[[str], object]) -> None:
    try:
        if value:
            read(value)
    except BadPem as fault:
        faults[name] = str(fault)


def _private_key(pem: str) -> PrivateKeyTypes:
    if len(pem) > MAX_PEM:
        raise BadPem(_("At most %(longest)s characters.") % {"longest": MAX_PEM})
    try:
        return load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise BadPem(_("The key has a passphrase: remove it first, the gateway encrypts it anew.")) from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadPem(_("Paste a private key in PEM, with its first and last line.")) from None


def _context(ca: str, certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if ca else certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca:
        _trust_only(context, ca)
    if certificate:
        _show(context, certificate, _private_key(key))
    return context


def _trust_only(context: ssl.SSLContext, ca: str) -> None:
    # A bundle may hold an intermediate authority, or one server's own certificate, and no root
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=ca)
    except ssl.SSLError:
        raise BadPem(_("Nobody can be trusted with these certificates.")) from None


def _show(context: ssl.SSLContext, certificate: str, key: PrivateKeyTypes) -> None:
    public = certificates(certificate)[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != public:
        raise BadPem(_("This is not the key of the first certificate."))
    # OpenSSL reads it from a file only: there it is encrypted with a password that nobody ever learns
    password = secrets.token_urlsafe(32)
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))
    with NamedTemporaryFile(suffix=".pem") as file:
        file.write(certificate.encode() + b"\n" + sealed)
        file.flush()
        try:
            context.load_cert_chain(file.name, password=password)
        except ssl.SSLError:
            raise BadPem(_("TLS accepts neither this key nor one like it.")) from None
