"""What every webhook has in common: POST, a rate, a size, one event for a refusal, and a short answer."""

from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.throttle import ThrottledError, record_refusal, spend
from oauth_provider.webhooks.errors import NotYet, WebhookRefused

MAX_BYTES = 262_144

log = structlog.get_logger(__name__)


# The sender proves itself with its secret; no cookie means anything here
@method_decorator(csrf_exempt, name="dispatch")
class WebhookView(View):
    """`source` names it in events; `take` is given the request and the raw body."""

    http_method_names = ["post"]
    source: str

    def is_configured(self) -> bool:
        """Whether the operator wants it."""
        raise NotImplementedError

    def take(self, request: HttpRequest, body: bytes) -> None:
        """Check who sent it, then carry it out.

        Raises:
            WebhookRefused: it is not believed, or cannot be read.
            NotYet: it could not be carried out now.
        """
        raise NotImplementedError

    def post(self, request: HttpRequest) -> HttpResponse:
        """204 once it is carried out, or was before.

        Raises:
            Http404: it is not configured.
        """
        if not self.is_configured():
            raise Http404
        return _answered(request, take=self.take, source=self.source)


def _answered(request: HttpRequest, *, take: Callable[[HttpRequest, bytes], None], source: str) -> HttpResponse:
    try:
        spend(request, rate="webhook")
        take(request, _body(request))
    except ThrottledError as error:
        record_refusal(error)
        return _refusal("rate_limited", status=error.status, retry_after_s=error.retry_after_s)
    except WebhookRefused as error:
        _tell(source, Decision.DENY, error.reason, error.status)
        return _refusal(error.reason, status=error.status)
    except NotYet as error:
        _tell(source, Decision.ERROR, error.reason, 503)
        return _refusal(error.reason, status=503, retry_after_s=error.retry_after_s)
    except (OperationalError, InterfaceError):
        log.warning("webhook_database_unavailable", exc_info=True)
        return _refusal("temporarily_unavailable", status=503, retry_after_s=1)
    return HttpResponse(status=204)


def _body(request: HttpRequest) -> bytes:
    if len(request.body) > MAX_BYTES:
        raise WebhookRefused("body_too_large", status=413)
    return request.body


def _tell(source: str, decision: Decision, reason: str, status: int) -> None:
    record(
        kind=Kind.WEBHOOK_MESSAGE_REFUSED, decision=decision, reason=reason, status=status, target=f"webhook:{source}"
    )


def _refusal(reason: str, *, status: int, retry_after_s: int = 0) -> JsonResponse:
    answer = JsonResponse({"error": reason}, status=status)
    answer["Cache-Control"] = "no-store"
    if retry_after_s:
        answer["Retry-After"] = str(retry_after_s)
    return answer
