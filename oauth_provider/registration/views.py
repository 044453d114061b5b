"""`/oauth/register` (RFC 7591) and `/oauth/register/<client_id>` (RFC 7592): parse, call, answer."""

from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.registration.answers import answer, client_information, refusal, throttled
from oauth_provider.registration.credentials import bearer
from oauth_provider.registration.errors import RegistrationError
from oauth_provider.registration.invitations import find_invitation
from oauth_provider.registration.manage import change_registration, end_registration, managed
from oauth_provider.registration.metadata import negotiate
from oauth_provider.registration.models import Mode
from oauth_provider.registration.policy import current_policy
from oauth_provider.registration.read_body import read_body
from oauth_provider.registration.register import closed, register_client
from oauth_provider.throttle import ThrottledError, record_refusal, spend

log = structlog.get_logger(__name__)


# Whoever registers brings a token or nothing: no cookie means anything here
@method_decorator(csrf_exempt, name="dispatch")
class RegisterView(View):
    """The registration endpoint."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """201 with everything the client needs."""
        return _answered(request, _register)


@method_decorator(csrf_exempt, name="dispatch")
class RegistrationView(View):
    """The client configuration endpoint, for whoever has the client's registration access token."""

    http_method_names = ["get", "put", "delete", "options"]

    def get(self, request: HttpRequest, client_id: str) -> HttpResponse:
        """What is registered (RFC 7592 section 2.1)."""
        return _answered(request, lambda asked: _show(asked, client_id))

    def put(self, request: HttpRequest, client_id: str) -> HttpResponse:
        """Register something else instead (section 2.2)."""
        return _answered(request, lambda asked: _change(asked, client_id))

    def delete(self, request: HttpRequest, client_id: str) -> HttpResponse:
        """Forget it (section 2.3)."""
        return _answered(request, lambda asked: _end(asked, client_id))


def _answered(request: HttpRequest, handle: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    try:
        spend(request, rate="register")
        if request.method == "POST":
            spend(request, rate="register_hourly")
        return handle(request)
    except ThrottledError as error:
        record_refusal(error)
        return throttled(error)
    except RegistrationError as error:
        record(
            kind=Kind.OAUTH_CLIENT_REFUSED,
            decision=Decision.DENY,
            reason=error.reason,
            status=error.status,
            method=request.method or "",
        )
        return refusal(error)
    except (OperationalError, InterfaceError):
        log.warning("registration_database_unavailable", exc_info=True)
        return answer({"error": "temporarily_unavailable", "error_description": "Try again in a moment."}, status=503)


def _register(request: HttpRequest) -> HttpResponse:
    invitation = find_invitation(bearer(request))
    if invitation is None and current_policy().mode == Mode.OFF:
        # Before anything of the body is read or judged
        raise closed()
    metadata = negotiate(read_body(request))
    made = register_client(metadata=metadata, invitation=invitation)
    body = client_information(made.client, made.registration, token=made.token, secret=made.secret)
    return answer(body, status=201)


def _show(request: HttpRequest, client_id: str) -> HttpResponse:
    registration = managed(client_id=client_id, token=bearer(request))
    return answer(client_information(registration.client, registration, token=bearer(request)), status=200)


def _change(request: HttpRequest, client_id: str) -> HttpResponse:
    token = bearer(request)
    managed(client_id=client_id, token=token)
    fields = read_body(request)
    with transaction.atomic():
        changed = change_registration(
            registration=managed(client_id=client_id, token=token, locked=True), fields=fields
        )
    body = client_information(changed.client, changed.registration, token=token, secret=changed.secret)
    return answer(body, status=200)


def _end(request: HttpRequest, client_id: str) -> HttpResponse:
    with transaction.atomic():
        end_registration(registration=managed(client_id=client_id, token=bearer(request), locked=True))
    return answer(None, status=204)
