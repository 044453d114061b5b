"""The device grant as a grant type of oauthlib's token endpoint (RFC 8628 section 3.4)."""

import json

from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.tokens import BearerToken

from oauth_provider.device.live import DEVICE_CODE
from oauth_provider.device.redeem import DevicePollError
from oauth_provider.tokens.validator import Validator

HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}
_DESCRIPTIONS = {
    "authorization_pending": "Nobody has decided yet.",
    "slow_down": "Wait 5 seconds longer between two requests.",
    "access_denied": "The user did not allow access.",
    "expired_token": "The device code has expired; start again.",
}


class DeviceCodeGrant:
    """The library's own knows neither our locks nor our errors."""

    def __init__(self, validator: Validator) -> None:
        self._validator = validator

    def create_token_response(self, request: Request, token_handler: BearerToken) -> tuple[dict[str, str], str, int]:
        """Headers, body and status (section 3.5)."""
        try:
            self._validate(request)
        except errors.OAuth2Error as error:
            return HEADERS | error.headers, error.json, error.status_code
        token = token_handler.create_token(request, refresh_token=True)
        self._validator.save_bearer_token(token, request)
        return HEADERS, json.dumps(token), 200

    def _validate(self, request: Request) -> None:
        if not self._validator.authenticate_client(request):
            raise errors.InvalidClientError(request=request)
        if not self._validator.validate_grant_type(request.client_id, DEVICE_CODE, request.client, request):
            raise errors.UnauthorizedClientError(request=request)
        code = dict(request.decoded_body).get("device_code")
        if not code:
            raise errors.InvalidRequestError("Send device_code.", request=request)
        try:
            if not self._validator.validate_device_code(code, request.client, request):
                raise errors.InvalidGrantError(request=request)
        except DevicePollError as answer:
            raise errors.CustomOAuth2Error(
                error=answer.reason, description=_DESCRIPTIONS[answer.reason], request=request
            ) from answer
