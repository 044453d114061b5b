"""Whose address counts as one caller's."""

from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network

IPV6_PREFIX = 64


@lru_cache(maxsize=8192)
def address_network(address: str) -> str:
    """An IPv4 address as it is; of an IPv6 one its /64, which is one household's and has no end of addresses."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    plain = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(plain) if isinstance(plain, IPv4Address) else str(ip_network((plain, IPV6_PREFIX), strict=False))
