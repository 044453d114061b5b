"""The device grant as a grant type of oauthlib's token endpoint (RFC 8628 section 3.4)."""

from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors
from typing_extensions import override

from oauth_provider.device.live import DEVICE_CODE
from oauth_provider.device.redeem import DevicePollError
from oauth_provider.tokens.own_grant import OwnGrant

_DESCRIPTIONS = {
    "authorization_pending": "Nobody has decided yet.",
    "slow_down": "Wait 5 seconds longer between two requests.",
    "access_denied": "The user did not allow access.",
    "expired_token": "The device code has expired; start again.",
}


class DeviceCodeGrant(OwnGrant):
    """The library's own knows neither our locks nor our errors."""

    grant_type = DEVICE_CODE
    gives_refresh_token = True

    @override
    def check(self, request: Request) -> None:
        """The device code; what a poll is told is in section 3.5."""
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
