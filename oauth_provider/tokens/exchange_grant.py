"""The protocol of a token exchange, as a grant type of oauthlib's token endpoint (RFC 8693 section 2)."""

import json

from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.tokens import BearerToken

from oauth_provider.tokens.exchange import TOKEN_EXCHANGE
from oauth_provider.tokens.validator import Validator

ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type's name
HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenExchangeGrant:
    """An access token in, an access token out; never a refresh token, and no token of an actor beside it."""

    def __init__(self, validator: Validator) -> None:
        self._validator = validator

    def create_token_response(self, request: Request, token_handler: BearerToken) -> tuple[dict[str, str], str, int]:
        """Headers, body and status (section 2.2)."""
        try:
            self._validate(request)
        except errors.OAuth2Error as error:
            return HEADERS | error.headers, error.json, error.status_code
        token = token_handler.create_token(request, refresh_token=False)
        token["issued_token_type"] = ACCESS_TOKEN_TYPE
        self._validator.save_bearer_token(token, request)
        return HEADERS, json.dumps(token), 200

    def _validate(self, request: Request) -> None:
        if not self._validator.authenticate_client(request):
            raise errors.InvalidClientError(request=request)
        if not self._validator.validate_grant_type(request.client_id, TOKEN_EXCHANGE, request.client, request):
            raise errors.UnauthorizedClientError(request=request)
        if not self._validator.validate_subject_token(_subject_token(request), request.client, request):
            raise errors.InvalidRequestError("The subject token cannot be exchanged.", request=request)
        offered = self._validator.exchangeable_scopes()
        request.scopes = request.scopes or offered
        if not request.scopes or not set(request.scopes) <= set(offered):
            raise errors.InvalidScopeError(request=request)


def _subject_token(request: Request) -> str:
    sent = dict(request.decoded_body)
    if "actor_token" in sent or "actor_token_type" in sent:
        raise errors.InvalidRequestError("actor_token is not supported.", request=request)
    if not sent.get("subject_token") or sent.get("subject_token_type") != ACCESS_TOKEN_TYPE:
        raise errors.InvalidRequestError(
            f"Send subject_token, and subject_token_type {ACCESS_TOKEN_TYPE}.", request=request
        )
    if sent.get("requested_token_type", ACCESS_TOKEN_TYPE) != ACCESS_TOKEN_TYPE:
        raise errors.InvalidRequestError(f"Only {ACCESS_TOKEN_TYPE} is issued.", request=request)
    if "audience" in sent:
        raise errors.InvalidRequestError("audience is not supported: name the API with resource.", request=request)
    return str(sent["subject_token"])
