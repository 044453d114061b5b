"""Where the network is touched: names, connections and whom TLS trusts. Tests put an internet of their own here."""

import socket
import ssl
from functools import lru_cache

import certifi


def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host`. Raises OSError or UnicodeError when it has none; takes as long as the resolver does."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_rest, sockaddr in found))


def connect(address: str, port: int, *, timeout_s: float) -> socket.socket:
    """A connection to `address`, a literal: no name is looked up again. Raises OSError."""
    return socket.create_connection((address, port), timeout=timeout_s)


@lru_cache(maxsize=1)
def tls() -> ssl.SSLContext:
    """Certificates are verified, always, against the public authorities."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
