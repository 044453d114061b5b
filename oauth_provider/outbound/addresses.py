"""Which hosts and addresses this server may connect to. Names are resolved first; only addresses are judged."""

import ipaddress
import random
import re
from collections.abc import Iterable, Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST_NAME = re.compile(r"\A(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*\Z")
_NUMERIC_LABEL = re.compile(r"\A(?:[0-9]+|0x[0-9a-f]*)\Z")


class AddressRefused(Exception):
    """The name leads to no address that may be called."""


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


# Refused whatever staff allow: link-local and instance metadata, multicast, and what names no host
NEVER = _networks(
    "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "100.100.100.200/32", "224.0.0.0/4", "240.0.0.0/4",
    "::/128", "fe80::/10", "ff00::/8", "fd00:ec2::/32", "fd20:ce::/32",
)  # fmt: skip
# Reached only where staff said that something internal is meant
INTERNAL = _networks(
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15",
    "::1/128", "fc00::/7", "fec0::/10",
)  # fmt: skip
_NAT64 = _networks("64:ff9b::/96", "64:ff9b:1::/48")
_V4_COMPATIBLE = ipaddress.ip_network("::/96")


def is_plain_host(host: str) -> bool:
    """Whether every parser reads `host`, in lower case and without brackets, alike: a name or a complete address.

    127.1, 0x7f.1 and 2130706433 are addresses to some resolvers and names to others, so they are neither here.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(_HOST_NAME.match(host)) and not _NUMERIC_LABEL.match(host.rpartition(".")[2])
    return True


def is_allowed(address: str, *, allow_private: bool) -> bool:
    """Whether this server may connect to `address`, a literal; an IPv4 address inside an IPv6 one counts as itself."""
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
