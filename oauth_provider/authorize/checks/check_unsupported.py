"""Request objects and response modes this server does not speak are refused, never ignored."""

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest


def check_unsupported(request: AuthorizationRequest) -> None:
    """Refuse ``request``, ``request_uri`` (RFC 9101 section 6) and any response mode but ``query``.

    Raises:
        RedirectError: one of them was sent. Nothing is ever fetched.
    """
    if request.request:
        raise RedirectError("request_not_supported", "request objects are not supported")
    if request.request_uri:
        raise RedirectError("request_uri_not_supported", "request_uri is not supported")
    if request.response_mode not in ("", "query"):
        raise RedirectError("invalid_request", "response_mode must be query", reason="unsupported_response_mode")
