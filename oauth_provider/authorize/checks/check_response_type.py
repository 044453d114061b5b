"""Only the authorization code flow exists here."""

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest


def check_response_type(request: AuthorizationRequest) -> None:
    """Require ``response_type=code`` (RFC 9700 section 2.1.2).

    Raises:
        RedirectError: missing or another type.
    """
    if not request.response_type:
        raise RedirectError("invalid_request", "response_type is missing", reason="missing_response_type")
    if request.response_type != "code":
        raise RedirectError("unsupported_response_type", "only response_type=code is supported")
