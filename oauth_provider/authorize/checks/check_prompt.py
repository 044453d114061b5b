"""`prompt` (OpenID Connect Core section 3.1.2.1): what a client wants shown, or not shown."""

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest


def check_prompt(request: AuthorizationRequest, *, signed_in: bool) -> None:
    """Answer ``prompt=none`` for somebody who would have to sign in; values this server does not know are ignored.

    ``consent`` and ``select_account`` need nothing: a page is shown for both, and it says who is signed in and lets her
    change that. ``login`` is `must_sign_in`'s, ``none`` for somebody signed in `answer_remembered`'s.

    Raises:
        RedirectError: ``login_required``; ``none`` combined with another value.
    """
    if "none" not in request.prompt:
        return
    if len(request.prompt) > 1:
        raise RedirectError("invalid_request", "prompt=none excludes other values", reason="ambiguous_prompt")
    if not signed_in:
        raise RedirectError("login_required", "the user is not signed in, or not recently enough")
