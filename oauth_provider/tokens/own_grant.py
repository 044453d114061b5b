"""A grant type of our own, for the token endpoint of oauthlib."""

import json
from typing import ClassVar

from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.tokens import BearerToken

from oauth_provider.tokens.validator import Validator

HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}


class OwnGrant:
    """What such grants share: who asks, whether they may ask for it, and the answer."""

    grant_type: ClassVar[str]
    gives_refresh_token: ClassVar[bool] = False
    # What the answer says beside the tokens
    told: ClassVar[dict[str, str]] = {}

    def __init__(self, validator: Validator) -> None:
        self._validator = validator

    def create_token_response(self, request: Request, token_handler: BearerToken) -> tuple[dict[str, str], str, int]:
        """Headers, body and status (RFC 6749 section 5)."""
        try:
            self._admit(request)
            self.check(request)
        except errors.OAuth2Error as error:
            return HEADERS | error.headers, error.json, error.status_code
        token = token_handler.create_token(request, refresh_token=self.gives_refresh_token)
        token |= self.told
        self._validator.save_bearer_token(token, request)
        return HEADERS, json.dumps(token), 200

    def check(self, request: Request) -> None:
        """Check what pays for the token.

        Raises:
            OAuth2Error: it pays for none.
        """
        raise NotImplementedError

    def _admit(self, request: Request) -> None:
        if not self._validator.authenticate_client(request):
            raise errors.InvalidClientError(request=request)
        if not self._validator.validate_grant_type(request.client_id, self.grant_type, request.client, request):
            raise errors.UnauthorizedClientError(request=request)
