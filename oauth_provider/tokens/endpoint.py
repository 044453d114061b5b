"""What the endpoints for clients share: rates, a body that is read once, and a client that proves itself."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Client
from oauth_provider.throttle import ThrottledError, record_refusal, spend
from oauth_provider.tokens.admission import admit
from oauth_provider.tokens.answers import Answer, error_answer, throttled_answer, unavailable, unproven
from oauth_provider.tokens.client_authentication import AuthenticationError, authenticate_client
from oauth_provider.tokens.current_client import prove_current
from oauth_provider.tokens.request_body import BodyError, read_parameters

log = structlog.get_logger(__name__)
Act = Callable[[dict[str, str], Client], Answer]


def limited(request: HttpRequest, *, rate: str, handle: Callable[[HttpRequest], Answer]) -> Answer:
    """What `handle` answers, within the rate called `rate` and while there is a database."""
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


def for_client(request: HttpRequest, *, act: Act, rate: str, kind: Kind = Kind.OAUTH_TOKEN_REFUSED) -> Answer:
    """What `act` answers to the body's parameters, in one transaction; a refusal is an event of that `kind`."""
    try:
        parameters, authorization = read_parameters(request), request.headers.get("Authorization", "")
        proven = prove_current(request, parameters)
        with transaction.atomic():
            client = authenticate_client(authorization=authorization, parameters=parameters, proven=proven)
            admit(request, client, rate=rate)
            return act(parameters, client)
    except BodyError as error:
        _record_refusal(kind, error.reason, error.status)
        return error_answer(error.error, error.description, status=error.status)
    except AuthenticationError as error:
        answer = unproven(error)
        _record_refusal(kind, error.reason, answer.status, error.client_id)
        return answer


def _record_refusal(kind: Kind, reason: str, status: int, client_id: str = "") -> None:
    record(kind=kind, decision=Decision.DENY, reason=reason, status=status, client_id=client_id)
