"""Ask a host of the internet for one document, where its address was written by a stranger.

The name is resolved once, every address it leads to is judged, and one of exactly those is connected to: what the name
says a moment later changes nothing. TLS and `Host` keep the name, redirects are answers like others, no proxy of the
environment is used, and neither bytes nor time are the other side's to decide.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import httpcore
import httpx

from oauth_provider.outbound import network
from oauth_provider.outbound.addresses import is_allowed, is_plain_host
from oauth_provider.outbound.pinned import Deadline, PinnedNetwork, TlsError, resolve

# What stands after the host is a port, a path or nothing; parsers that repair anything else disagree about the host
_URL = re.compile(
    r"\A(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?:/[!-\"$->@-\[\]-~]*)?(?:\?[!-\"$-\[\]-~]*)?\Z"
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Besides the well-known ports: those of databases, caches and brokers
_OTHER_PROTOCOLS = frozenset({1433, 1521, 2049, 2375, 3306, 3389, 5432, 5672, 6379, 11211, 27017})
_HEADERS = {"accept-encoding": "identity", "user-agent": "gatehouse", "connection": "close"}
_NOTHING: Mapping[str, str] = MappingProxyType({})


class FetchError(Exception):
    """Root of what follows; `reason` is the slug for the ledger, and never for whoever named the URL.

    FetchError
    ├── AddressRefusedError   url_refused, port_refused, address_refused: no connection was made
    ├── UnreachableError      name_unresolved, connection_failed, tls_failed, answer_unreadable
    ├── TooLargeError         answer_too_large
    └── DeadlinePassedError   deadline_passed
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AddressRefusedError(FetchError):
    """The URL leads where this server does not go."""


class UnreachableError(FetchError):
    """Nobody there, or nobody who speaks HTTP for that name."""


class TooLargeError(FetchError):
    """The body is longer than was asked for."""


class DeadlinePassedError(FetchError):
    """The whole of it took too long."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer of whatever status."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()


def fetch(
    *,
    url: str,
    accept: str = "application/json",
    max_bytes: int = 65_536,
    timeout_s: float = 5.0,
    allow_private: bool = False,
    headers: Mapping[str, str] = _NOTHING,
    method: str = "GET",
    body: bytes = b"",
) -> Fetched:
    """The answer of `url`.

    Args:
        url: absolute, https; http only with `allow_private`.
        accept: the Accept header; whether the answer's type is acceptable is for the caller to say.
        max_bytes: of the body, as sent; a compressed one is refused.
        timeout_s: for everything together, from the resolution of the name to the last byte.
        allow_private: staff meant a host inside the company; link-local and metadata addresses stay refused.
        headers: further ones.
        method, body: the request's.

    Raises:
        FetchError: see there.
    """
    host, port = _target(url, allow_private=allow_private)
    deadline = Deadline(timeout_s)
    sent = [*(_HEADERS | {"accept": accept} | dict(headers)).items()]
    try:
        addresses = _resolved(host, port, deadline, allow_private=allow_private)
        with (
            _connections(addresses, deadline) as pool,
            pool.stream(method, url, headers=sent, content=body or None) as answer,
        ):
            found = httpx.Headers(answer.headers)
            return Fetched(status=answer.status, headers=found, body=_body(answer, found, max_bytes))
    except httpcore.TimeoutException as error:
        raise DeadlinePassedError("deadline_passed") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise UnreachableError(_fault(error)) from error


def check_url(url: str, *, allow_private: bool = False) -> None:
    """Refuse a URL that could never be fetched, without asking anybody.

    Raises:
        AddressRefusedError: see `FetchError`.
    """
    host, _port = _target(url, allow_private=allow_private)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    if not is_allowed(host, allow_private=allow_private):
        raise AddressRefusedError("address_refused")


def _target(url: str, *, allow_private: bool) -> tuple[str, int]:
    match = _URL.match(url)
    if match is None or (match["scheme"] != "https" and not allow_private):
        raise AddressRefusedError("url_refused")
    host = match["host"].strip("[]").lower()
    port = int(match["port"] or _DEFAULT_PORTS[match["scheme"]])
    if not is_plain_host(host) or port > 65_535:
        raise AddressRefusedError("url_refused")
    if not allow_private and port != 443 and (port < 1024 or port in _OTHER_PROTOCOLS):
        raise AddressRefusedError("port_refused")
    return host, port


def _connections(addresses: list[str], deadline: Deadline) -> httpcore.ConnectionPool:
    return httpcore.ConnectionPool(ssl_context=network.tls(), network_backend=PinnedNetwork(addresses, deadline))


def _resolved(host: str, port: int, deadline: Deadline, *, allow_private: bool) -> list[str]:
    try:
        addresses = resolve(host, port, deadline=deadline)
    except (OSError, UnicodeError):
        raise UnreachableError("name_unresolved") from None
    # A name that leads inside as well as outside is not half good
    if not all(is_allowed(address, allow_private=allow_private) for address in addresses):
        raise AddressRefusedError("address_refused")
    return addresses


def _body(answer: httpcore.Response, headers: httpx.Headers, max_bytes: int) -> bytes:
    if headers.get("content-encoding", "identity").lower() != "identity":
        # Not what was asked for, and a few bytes of it may become gigabytes
        raise UnreachableError("answer_unreadable")
    announced = headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:12]) > max_bytes:
        raise TooLargeError("answer_too_large")
    body = bytearray()
    for chunk in answer.iter_stream():
        body += chunk
        if len(body) > max_bytes:
            raise TooLargeError("answer_too_large")
    return bytes(body)


def _fault(error: Exception) -> str:
    if isinstance(error, TlsError):
        return "tls_failed"
    return "connection_failed" if isinstance(error, httpcore.ConnectError) else "answer_unreadable"
