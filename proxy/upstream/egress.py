"""Egress guard: a backend's name is resolved, its addresses are judged, and one of them is pinned for the call."""

import asyncio
import socket

from oauth_provider.outbound.addresses import AddressRefused, allowed
from proxy.catalogue.plans import BackendPlan
from proxy.refusals import BackendRefusedByGuard, BackendUnreachable


class NameUnresolved(Exception):
    """The name leads nowhere."""


async def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of `host` that may be called: resolved once and checked, for the caller to pin one of them.

    Raises:
        NameUnresolved: the name has no address.
        AddressRefused: it has none that may be called.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NameUnresolved from None
    return allowed((str(sockaddr[0]) for *_rest, sockaddr in found), allow_private=allow_private)


async def pinned_address(backend: BackendPlan) -> str:
    """The address to call `backend` at, resolved and checked now; of several, one that takes connections.

    Raises:
        BackendRefusedByGuard: its name leads to no address that may be called.
        BackendUnreachable: its name leads nowhere.
    """
    base = backend.base
    try:
        addresses = await resolve(base.host, base.port, allow_private=backend.allow_private)
    except AddressRefused:
        raise BackendRefusedByGuard from None
    except NameUnresolved:
        raise BackendUnreachable(reason="backend_name_unresolved") from None
    # localhost is 127.0.0.1 and ::1, and few programs listen on both
    for address in addresses[1:]:
        if await _takes_connections(address, base.port, within_s=backend.connect_timeout_s):
            return address
    return addresses[0]


async def _takes_connections(address: str, port: int, *, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            _reader, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
