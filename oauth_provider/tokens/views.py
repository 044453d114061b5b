"""The token, revocation and introspection endpoints: parse, call, answer."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Client
from oauth_provider.throttle import ThrottledError, record_refusal, spend
from oauth_provider.tokens.admission import admit
from oauth_provider.tokens.answers import Answer, error_answer, throttled_answer, unavailable, unproven
from oauth_provider.tokens.client_assertion import prove_by_assertion
from oauth_provider.tokens.client_authentication import AuthenticationError, authenticate_client
from oauth_provider.tokens.introspection import introspect
from oauth_provider.tokens.request_body import BodyError, read_parameters
from oauth_provider.tokens.revocation import revoke_token
from oauth_provider.tokens.server import answer_token_request

log = structlog.get_logger(__name__)


# Clients prove themselves with their own credential; no cookie means anything here
@method_decorator(csrf_exempt, name="dispatch")
class TokenView(View):
    """RFC 6749 section 3.2."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Codes, refresh tokens and services' credentials become access tokens."""
        return _limited(request, "token", answer_token_request).response()


@method_decorator(csrf_exempt, name="dispatch")
class RevokeView(View):
    """RFC 7009."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """200 for every token, known or not (section 2.2)."""
        handle = partial(_for_client, act=_revoke, rate="revoke")
        return _limited(request, "revoke", handle).response()


@method_decorator(csrf_exempt, name="dispatch")
class IntrospectView(View):
    """RFC 7662."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Only for resource servers, only about access tokens for the APIs they serve."""
        handle = partial(_for_client, act=_introspect, rate="introspect")
        return _limited(request, "introspect", handle).response()


def _limited(request: HttpRequest, rate: str, handle: Callable[[HttpRequest], Answer]) -> Answer:
    try:
        return _counted(request, rate, handle)
    except (OperationalError, InterfaceError):
        log.warning("token_endpoint_database_unavailable", exc_info=True)
        return unavailable()


def _counted(request: HttpRequest, rate: str, handle: Callable[[HttpRequest], Answer]) -> Answer:
    try:
        spend(request, rate=rate)
        answer = handle(request)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            # Guessing has a rate of its own; whoever proves itself goes on, for many GPTs share one address
            spend(request, rate="failed_client")
    except ThrottledError as refusal:
        record_refusal(refusal)
        return throttled_answer(refusal)
    return answer


def _token(parameters: dict[str, str]) -> str:
    if "token" not in parameters:
        raise BodyError("missing_token", "Send token.")
    return parameters["token"]


def _for_client(request: HttpRequest, *, act: Callable[[str, Client], Answer], rate: str) -> Answer:
    try:
        parameters, authorization = read_parameters(request), request.headers.get("Authorization", "")
        proven = prove_by_assertion(authorization=authorization, parameters=parameters)
        with transaction.atomic():
            client = authenticate_client(authorization=authorization, parameters=parameters, proven=proven)
            admit(request, client, rate=rate)
            return act(_token(parameters), client)
    except BodyError as error:
        _record_refusal(error.reason, error.status)
        return error_answer(error.error, error.description, status=error.status)
    except AuthenticationError as error:
        answer = unproven(error)
        _record_refusal(error.reason, answer.status, error.client_id)
        return answer


def _revoke(token: str, client: Client) -> Answer:
    revoke_token(token=token, client=client)
    return Answer(200, None)


def _introspect(token: str, client: Client) -> Answer:
    if not client.is_confidential:
        raise AuthenticationError("public_client_introspects", client.client_id)
    return Answer(200, introspect(token=token, client=client))


def _record_refusal(reason: str, status: int, client_id: str = "") -> None:
    record(kind=Kind.OAUTH_TOKEN_REFUSED, decision=Decision.DENY, reason=reason, status=status, client_id=client_id)
