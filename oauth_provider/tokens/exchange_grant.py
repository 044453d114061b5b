"""The protocol of a token exchange, as oauthlib knows the other grants (RFC 8693 section 2)."""

import json

from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.grant_types.base import GrantTypeBase
from oauthlib.oauth2.rfc6749.tokens import BearerToken
from typing_extensions import override

ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type's name


class TokenExchangeGrant(GrantTypeBase):
    """An access token in, an access token out; never a refresh token, and no token of an actor of its own."""

    @override
    def create_token_response(self, request: Request, token_handler: BearerToken) -> tuple[dict[str, str], str, int]:
        """Headers, body and status (section 2.2.1)."""
        headers: dict[str, str] = self._get_default_headers()
        try:
            self.validate_token_request(request)
        except errors.OAuth2Error as error:
            return headers | error.headers, error.json, error.status_code
        token = token_handler.create_token(request, refresh_token=False)
        token["issued_token_type"] = ACCESS_TOKEN_TYPE
        self.request_validator.save_token(token, request)
        return headers, json.dumps(token), 200

    @override
    def validate_token_request(self, request: Request) -> None:
        """Who asks, for what, and whether it may.

        Raises:
            OAuth2Error: in the order of RFC 6749, then invalid_request for every subject token that will not do.
        """
        if not self.request_validator.authenticate_client(request):
            raise errors.InvalidClientError(request=request)
        self.validate_grant_type(request)
        if not self.request_validator.validate_subject_token(_subject_token(request), request.client, request):
            raise errors.InvalidRequestError("The subject token cannot be exchanged.", request=request)
        offered = self.request_validator.exchangeable_scopes()
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
    return str(sent["subject_token"])
