"""The UserInfo endpoint over HTTP: parse, call, answer."""

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.openid.userinfo import Challenge, tell_about_user
from oauth_provider.throttle import ThrottledError, record_refusal, spend
from oauth_provider.tokens.answers import throttled_answer, unavailable

log = structlog.get_logger(__name__)


# Whoever calls has an access token; no cookie means anything here
@method_decorator(csrf_exempt, name="dispatch")
class UserInfoView(View):
    """GET and POST alike (Core section 5.3.1)."""

    http_method_names = ["get", "post", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """The claims, or why not (RFC 6750 section 3)."""
        try:
            return _answer(request)
        except (OperationalError, InterfaceError):
            log.warning("userinfo_database_unavailable", exc_info=True)
            return unavailable().response()

    def post(self, request: HttpRequest) -> HttpResponse:
        """As GET: nothing in the body counts."""
        return self.get(request)


def _answer(request: HttpRequest) -> HttpResponse:
    try:
        spend(request, rate="userinfo")
        response: HttpResponse = JsonResponse(tell_about_user(request))
    except ThrottledError as refusal:
        record_refusal(refusal)
        return throttled_answer(refusal).response()
    except Challenge as refusal:
        _record_refused(refusal)
        body = {"error": refusal.error, "error_description": refusal.description} if refusal.error else {}
        response = JsonResponse(body, status=refusal.status)
        response["WWW-Authenticate"] = refusal.header
    response["Cache-Control"] = "no-store"
    return response


def _record_refused(refusal: Challenge) -> None:
    record(
        kind=Kind.OAUTH_USERINFO_REFUSED,
        client_id=refusal.client_id,
        decision=Decision.DENY,
        reason=refusal.reason,
        status=refusal.status,
    )
