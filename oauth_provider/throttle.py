"""Rates of the pages and endpoints of the authorization server, per address and per client."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django_ratelimit.core import get_usage

from oauth_provider.identities.address import client_address

View = Callable[..., HttpResponseBase]

# Contract, section 2; a deployment overrides one with the setting RATE_<NAME>.
_DEFAULTS = {"authorize": "120/m", "signin": "20/m"}


def throttled(name: str, *, methods: tuple[str, ...] = ()) -> Callable[[View], View]:
    """Answer 429 with ``Retry-After`` (seconds) when an address exceeds the rate called ``name``.

    ``methods`` are the HTTP methods counted; empty means every one.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if methods and request.method not in methods:
                return view(request, *args, **kwargs)
            rate = getattr(settings, f"RATE_{name.upper()}", _DEFAULTS[name])
            usage = get_usage(request, group=name, key=_address_key, rate=rate, increment=True)
            if usage is not None and usage["should_limit"]:
                return too_many(request, retry_after_s=max(1, int(usage["time_left"])))
            return view(request, *args, **kwargs)

        return limited

    return decorate


def too_many(request: HttpRequest, *, retry_after_s: int) -> HttpResponse:
    """The 429 page."""
    response = render(request, "429.html", {"retry_after_s": retry_after_s}, status=429)
    response["Retry-After"] = str(retry_after_s)
    response["Cache-Control"] = "no-store"
    return response


def _address_key(_group: str, request: HttpRequest) -> str:
    return client_address(request)
