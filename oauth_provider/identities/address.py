"""The address a request really comes from, past the proxies the operator trusts."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


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
