"""How often an address may call the endpoints of this package; a 429 says when to come back."""

from django.conf import settings
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from oauth_provider.identities.address import client_address
from oauth_provider.tokens.answers import Answer, error_answer

RATES = {"token": "120/m", "failed_client": "30/m", "revoke": "300/m", "introspect": "300/m"}


def over_limit(request: HttpRequest, *, name: str, count: bool = True) -> Answer | None:
    """Count this call under `name` (when `count`) and return the 429 answer if the address is over its rate."""
    rate = getattr(settings, "OAUTH_RATES", {}).get(name, RATES[name])
    usage = get_usage(request, group=f"oauth:{name}", key=_address, rate=rate, increment=count)
    if usage is None or not _exceeded(usage, count=count):
        return None
    wait = max(1, int(usage["time_left"]))
    return error_answer("temporarily_unavailable", "Too many requests.", status=429, headers={"Retry-After": str(wait)})


def _exceeded(usage: dict[str, int], *, count: bool) -> bool:
    # A look without counting asks whether one more would be too many
    return bool(usage["should_limit"]) if count else usage["count"] >= usage["limit"]


def _address(_group: str, request: HttpRequest) -> str:
    return client_address(request)
