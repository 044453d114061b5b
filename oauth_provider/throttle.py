"""Hold callers of the authorization server to the rates of `oauth_provider.rates`.

Counted is the address, and the client once it proved itself with a secret: a client_id alone is public, and whoever
knows it could use up the client's rate.
"""

from collections.abc import Callable
from functools import wraps

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django_ratelimit.core import get_usage

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.identities.address import client_network

View = Callable[..., HttpResponseBase]

_KINDS = {
    "device": Kind.OAUTH_DEVICE_REFUSED,
    "user_code": Kind.OAUTH_DEVICE_REFUSED,
    "userinfo": Kind.OAUTH_USERINFO_REFUSED,
    "authorize": Kind.OAUTH_AUTHORIZATION_REFUSED,
    "signin": Kind.ACCOUNT_SIGNIN_FAILED,
    "webhook": Kind.WEBHOOK_MESSAGE_REFUSED,
    "register": Kind.OAUTH_CLIENT_REFUSED,
    "register_hourly": Kind.OAUTH_CLIENT_REFUSED,
}


class ThrottledError(Exception):
    """Root of the refusals below; `retry_after_s` is whole seconds.

    ThrottledError
    ├── RateExceededError          429
    └── CountersUnavailableError   503: without counters every limit would be open
    """

    status = 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class RateExceededError(ThrottledError):
    """The caller asks more often than the table allows; `is_first` for the first refusal of a window."""

    def __init__(self, retry_after_s: int, *, rate: str, client_id: str, is_first: bool) -> None:
        super().__init__(retry_after_s)
        self.rate = rate
        self.client_id = client_id
        self.is_first = is_first


class CountersUnavailableError(ThrottledError):
    """The counters cannot be reached."""

    status = 503


def spend(request: HttpRequest, *, rate: str, client_id: str = "", user_id: int | None = None) -> None:
    """Count one request under the rate called `rate`: the address's, or the client's or the user's when one is given.

    Raises:
        RateExceededError: it is one too many.
        CountersUnavailableError: nothing can be counted.
    """
    by = f"user:{user_id}" if user_id is not None else f"client:{client_id}" if client_id else ""
    _hold(request, rate=rate, by=by, client_id=client_id, counted=True)


def check(request: HttpRequest, *, rate: str) -> None:
    """Refuse an address that has used up the rate called `rate`, without counting: for what counts failures only.

    Raises:
        RateExceededError: it has.
        CountersUnavailableError: the counters cannot be read.
    """
    _hold(request, rate=rate, by="", client_id="", counted=False)


def _hold(request: HttpRequest, *, rate: str, by: str, client_id: str, counted: bool) -> None:
    by = by or f"address:{client_network(request)}"
    try:
        usage = get_usage(
            request, group=f"oauth:{rate}", key=lambda *_: by, rate=settings.OAUTH_RATES[rate], increment=counted
        )
    except redis.RedisError as error:
        raise CountersUnavailableError(retry_after_s=1) from error
    if usage["should_limit"]:
        # The window still counts during the second it ends in
        wait_s = max(1, usage["time_left"] + 1)
        is_first = counted and usage["count"] == usage["limit"] + 1
        raise RateExceededError(wait_s, rate=rate, client_id=client_id, is_first=is_first)


def record_refusal(refusal: ThrottledError) -> None:
    """Make the first refusal of a window an event: a flood must not fill the ledger."""
    if isinstance(refusal, RateExceededError) and refusal.is_first:
        record(
            kind=_KINDS.get(refusal.rate, Kind.OAUTH_TOKEN_REFUSED),
            decision=Decision.DENY,
            reason="rate_limited",
            status=refusal.status,
            client_id=refusal.client_id,
            target=f"rate:{refusal.rate}",
        )


def throttled(rate: str, *, methods: tuple[str, ...] = ()) -> Callable[[View], View]:
    """Hold a page to the rate called `rate`; `methods` are the HTTP methods counted, empty means every one."""

    def decorate(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not methods or request.method in methods:
                try:
                    spend(request, rate=rate)
                except ThrottledError as refusal:
                    record_refusal(refusal)
                    return refusal_page(request, status=refusal.status, retry_after_s=refusal.retry_after_s)
            return view(request, *args, **kwargs)

        return limited

    return decorate


def refusal_page(request: HttpRequest, *, status: int, retry_after_s: int) -> HttpResponse:
    """The refusal for a person: when to come back. `status` is 429 or 503."""
    context = {"minutes": -(-retry_after_s // 60)}
    response = render(request, f"{status}.html", context, status=status)
    response["Retry-After"] = str(retry_after_s)
    response["Cache-Control"] = "no-store"
    return response
