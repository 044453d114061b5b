"""The address a request really comes from, past the proxies the operator trusts."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the caller's IP address as text.

    Of ``X-Forwarded-For`` only the entry written by the outermost of ``TRUSTED_PROXY_COUNT`` proxies counts;
    anything further left was written by the caller.
    """
    direct = request.META.get("REMOTE_ADDR") or "0.0.0.0"  # noqa: S104 - a placeholder, nothing is bound
    trusted = settings.TRUSTED_PROXY_COUNT
    if not trusted:
        return str(direct)
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if len(hops) < trusted:
        return str(direct)
    try:
        return str(ipaddress.ip_address(hops[-trusted]))
    except ValueError:
        return str(direct)
