"""The caller's address, as far as it can be trusted."""

from django.http import HttpRequest

from audit.ledger.origin import current_origin


def client_address(request: HttpRequest) -> str:
    """The address the front door resolved behind TRUSTED_PROXY_COUNT proxies; the peer's where none did."""
    origin = current_origin.get()
    if origin is not None and origin.address:
        return origin.address
    return str(request.META.get("REMOTE_ADDR") or "")
