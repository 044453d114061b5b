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


class AddressRefused(Exception):  # noqa: N818 - a decision, not a fault
    """The name leads to no address that may be called."""


class NameUnresolved(Exception):  # noqa: N818 - a state of the name
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


def choose(addresses: Iterable[str], *, allow_private: bool) -> str:
    """One of the resolved `addresses` that may be called.

    Raises:
        AddressRefused: none may.
    """
    allowed = [address for address in dict.fromkeys(addresses) if is_allowed(address, allow_private=allow_private)]
    if not allowed:
        raise AddressRefused
    return random.choice(allowed)  # noqa: S311 - spreads load, hides nothing


async def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """The address to connect to for `host`: resolved once, checked, and then pinned by the caller.

    Raises:
        NameUnresolved: the name has no address.
        AddressRefused: it has none that may be called.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NameUnresolved from None
    return choose((str(sockaddr[0]) for *_rest, sockaddr in found), allow_private=allow_private)


async def pinned_address(backend: BackendPlan) -> str:
    """The address to call `backend` at, resolved and checked now.

    Raises:
        BackendRefusedByGuard: its name leads to no address that may be called.
        BackendUnreachable: its name leads nowhere.
    """
    try:
        return await resolve(backend.base.host, backend.base.port, allow_private=backend.allow_private)
    except AddressRefused:
        raise BackendRefusedByGuard from None
    except NameUnresolved:
        raise BackendUnreachable(reason="backend_name_unresolved") from None


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
