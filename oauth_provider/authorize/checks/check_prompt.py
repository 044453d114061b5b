"""A client that wants an answer without a page gets one: consent is always shown, so it is always an error."""

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest


def check_prompt(request: AuthorizationRequest, *, signed_in: bool) -> None:
    """Answer ``prompt=none`` (OpenID Connect Core section 3.1.2.6); values this server does not know are ignored.

    Raises:
        RedirectError: ``login_required`` or ``consent_required``; ``none`` combined with another value.
    """
    if "none" not in request.prompt:
        return
    if len(request.prompt) > 1:
        raise RedirectError("invalid_request", "prompt=none excludes other values", reason="ambiguous_prompt")
    if not signed_in:
        raise RedirectError("login_required", "the user is not signed in")
    raise RedirectError("consent_required", "the user must approve on the consent page")
