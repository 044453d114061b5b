"""One token request, from its body to its answer: one transaction, undone unless a token was issued.

What a refusal leaves behind is written after the undoing: the event, and the death of a replayed family.
"""

import json
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from oauth2_provider.settings import oauth2_settings

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.device.grant import DeviceCodeGrant
from oauth_provider.device.live import DEVICE_CODE, is_device_grant_live
from oauth_provider.tokens.answers import Answer, error_answer, unproven
from oauth_provider.tokens.client_authentication import AuthenticationError
from oauth_provider.tokens.current_client import prove_current
from oauth_provider.tokens.exchange import TOKEN_EXCHANGE
from oauth_provider.tokens.exchange_grant import TokenExchangeGrant
from oauth_provider.tokens.families import kill_family
from oauth_provider.tokens.outcome import Outcome
from oauth_provider.tokens.request_body import BodyError, RequestCore, read_parameters
from oauth_provider.tokens.validator import Validator

GRANT_TYPES = frozenset({"authorization_code", "refresh_token", "client_credentials", TOKEN_EXCHANGE})
# What oauthlib says may quote the request; these words cannot
_DESCRIPTIONS = {
    "invalid_client": "Client authentication failed.",
    "invalid_grant": "The code or token is invalid, expired, revoked, or was issued to another client.",
    "unauthorized_client": "The client may not use this grant type.",
    "invalid_scope": "The scope is unknown, or exceeds what was granted.",
}


def live_grant_types() -> list[str]:
    """What works now, sorted: devices only where staff let a client connect them."""
    return sorted(GRANT_TYPES | ({DEVICE_CODE} if is_device_grant_live() else set()))


def answer_token_request(request: HttpRequest) -> Answer:
    """Issue tokens for a code, a refresh token, a service's own credentials or another token, or say why not.

    Raises:
        ThrottledError: the client asks more often than it may.
        OperationalError, InterfaceError: the database is busy or gone; nothing was issued.
    """
    validator = Validator(request)
    try:
        parameters = read_parameters(request)
        _check_grant_type(parameters)
        validator.proven = prove_current(request, parameters)
        answer = _run(request, validator, parameters)
    except BodyError as error:
        validator.outcome.reason = error.reason
        _record_refusal(validator.outcome, error.status)
        return error_answer(error.error, error.description, status=error.status)
    except AuthenticationError as error:
        answer = unproven(error)
        validator.outcome.reason, validator.outcome.client_id = error.reason, error.client_id
    if answer.status != 200 and validator.outcome.reason != "authorization_pending":
        _after_refusal(validator.outcome, answer)
    return answer


def _check_grant_type(parameters: dict[str, str]) -> None:
    grant_type = parameters.get("grant_type")
    if grant_type is None:
        raise BodyError("missing_grant_type", "Send grant_type.")
    if grant_type not in GRANT_TYPES and not (grant_type == DEVICE_CODE and is_device_grant_live()):
        description = f"Supported: {', '.join(live_grant_types())}."
        raise BodyError("unsupported_grant_type", description, error="unsupported_grant_type")


def _run(request: HttpRequest, validator: Validator, parameters: dict[str, str]) -> Answer:
    server = oauth2_settings.OAUTH2_SERVER_CLASS(validator, **oauth2_settings.server_kwargs)
    server.grant_types[TOKEN_EXCHANGE] = TokenExchangeGrant(validator)
    server.grant_types[DEVICE_CODE] = DeviceCodeGrant(validator)
    with transaction.atomic():
        _uri, _headers, body, status = RequestCore(server, accepted=parameters).create_token_response(request)
        content: dict[str, Any] = json.loads(body)
        if status == 200:
            _record_success(validator.outcome, parameters["grant_type"])
            return Answer(200, content)
        # When a device asked last is kept
        transaction.set_rollback(not validator.outcome.is_waiting)
    return _refusal(content, status)


def _refusal(content: dict[str, Any], status: int) -> Answer:
    error = str(content.get("error", "invalid_request"))
    return error_answer(error, _DESCRIPTIONS.get(error, str(content.get("error_description", ""))), status=status)


def _record_success(outcome: Outcome, grant_type: str) -> None:
    record(
        kind=Kind.OAUTH_TOKEN_REFRESHED if grant_type == "refresh_token" else Kind.OAUTH_TOKEN_ISSUED,
        decision=Decision.ALLOW,
        # An exchange is called by its last word, as the others are
        operation=grant_type.rpartition(":")[2],
        reason="retried" if outcome.repeated else "",
        status=200,
        user=outcome.user,
        client_id=outcome.client_id,
        connection=outcome.connection,
        audience=outcome.audience,
        scopes=outcome.scopes,
        token=outcome.token,
        target=outcome.target,
        note=outcome.clients,
    )


@transaction.atomic
def _after_refusal(outcome: Outcome, answer: Answer) -> None:
    outcome.reason = outcome.reason or str((answer.body or {}).get("error", ""))
    connection = kill_family(outcome.family_id) if outcome.family_id else None
    if connection is not None:
        outcome.connection = str(connection.pk)
        outcome.audience = connection.resource.identifier
    _record_refusal(outcome, answer.status)


def _record_refusal(outcome: Outcome, status: int) -> None:
    record(
        kind=Kind.OAUTH_TOKEN_REPLAYED if outcome.replayed else Kind.OAUTH_TOKEN_REFUSED,
        decision=Decision.DENY,
        reason=outcome.reason,
        status=status,
        user=outcome.user,
        client_id=outcome.client_id,
        connection=outcome.connection,
        audience=outcome.audience,
    )
