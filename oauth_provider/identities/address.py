"""The address a request really comes from, past the proxies the operator trusts."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

IPV6_SUBSCRIBER = 64


def client_address(request: HttpRequest) -> str:
    """The caller's IP address as text."""
    return address_behind(
        direct=request.META.get("REMOTE_ADDR") or "0.0.0.0",  # noqa: S104 - a placeholder, nothing is bound
        forwarded=request.META.get("HTTP_X_FORWARDED_FOR", ""),
        trusted=settings.TRUSTED_PROXY_COUNT,
    )


def address_behind(*, direct: str, forwarded: str, trusted: int) -> str:
    """The address that the outermost of `trusted` proxies saw; `direct` is the connection's own.

    `forwarded` is the value of X-Forwarded-For: anything left of that proxy's entry was written by the caller.
    """
    hops = [hop.strip() for hop in forwarded.split(",")]
    if not trusted or len(hops) < trusted:
        return direct
    try:
        return str(ipaddress.ip_address(hops[-trusted]))
    except ValueError:
        return direct


def client_network(request: HttpRequest) -> str:
    """What rates and lockouts count as one caller: an IPv4 address, or the /64 that one IPv6 subscriber has."""
    address = client_address(request)
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    plain = getattr(parsed, "ipv4_mapped", None) or parsed
    if plain.version == 4:
        return str(plain)
    return str(ipaddress.ip_network(f"{plain}/{IPV6_SUBSCRIBER}", strict=False).network_address)
