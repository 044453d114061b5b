"""Egress guard: which addresses the gateway may connect to. Names are resolved first; only addresses are judged."""

import asyncio
import ipaddress
import random
import socket
from collections.abc import Iterable, Iterator

from proxy.catalogue.snapshot import BackendPlan
from proxy.refusals import BackendRefusedByGuard, BackendUnreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AddressRefused(Exception):
    """The name leads to no address that may be called."""


class NameUnresolved(Exception):
    """The name leads nowhere."""


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


# Refused whatever staff allow: link-local and instance metadata, multicast, and what names no host
NEVER = _networks(
    "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "100.100.100.200/32", "224.0.0.0/4", "240.0.0.0/4",
    "::/128", "fe80::/10", "ff00::/8", "fd00:ec2::/32", "fd20:ce::/32",
)  # fmt: skip
# Reached only by backends that staff marked internal
INTERNAL = _networks(
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15",
    "::1/128", "fc00::/7", "fec0::/10",
)  # fmt: skip
_NAT64 = _networks("64:ff9b::/96", "64:ff9b:1::/48")
_V4_COMPATIBLE = ipaddress.ip_network("::/96")


def is_allowed(address: str, *, allow_private: bool) -> bool:
    """Whether the gateway may connect to `address`, a literal; an IPv4 address inside an IPv6 one counts as itself."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_is_allowed(each, allow_private=allow_private) for each in (parsed, *_embedded(parsed)))


def allowed(addresses: Iterable[str], *, allow_private: bool) -> list[str]:
    """Those of the resolved `addresses` that may be called, in no order.

    Raises:
        AddressRefused: none may.
    """
    found = [address for address in dict.fromkeys(addresses) if is_allowed(address, allow_private=allow_private)]
    if not found:
        raise AddressRefused
    random.shuffle(found)
    return found


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


def _is_allowed(address: Address, *, allow_private: bool) -> bool:
    if any(address in network for network in NEVER):
        return False
    if any(address in network for network in INTERNAL):
        return allow_private
    # What carries an IPv4 address is judged by that address, not by the prefix around it
    return address.is_global or any(True for _inner in _embedded(address))


def _embedded(address: Address) -> Iterator[ipaddress.IPv4Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address.sixtofour:
        yield address.sixtofour
    elif address.teredo:
        yield from address.teredo
    elif any(address in network for network in _NAT64) or (address in _V4_COMPATIBLE and int(address) > 1):
        yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
