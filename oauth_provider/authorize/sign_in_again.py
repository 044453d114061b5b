"""Whether somebody who is signed in must do it once more before this request goes on."""

import time

from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase

from oauth_provider.authorize.checks.check_id_token_hint import is_hinted
from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.run import Acceptable
from oauth_provider.identities.signed_in import has_signed_in_for, signed_in_at


def must_sign_in(acceptable: Acceptable, *, user: User, session: SessionBase, url: str) -> bool:
    """Whether she must, once, so that nobody goes in circles.

    ``prompt=login`` always asks, ``max_age`` when the sign-in is older, ``id_token_hint`` when it names somebody else.

    Raises:
        RedirectError: ``login_required``; she did, and is still not whom the client expects.
    """
    age_s = time.time() - signed_in_at(session)
    is_old = acceptable.max_age_s is not None and age_s > acceptable.max_age_s
    is_another = not is_hinted(user, subject=acceptable.hinted_subject)
    is_wanted = is_old or is_another or "login" in acceptable.answerable.request.prompt
    if not is_wanted:
        return False
    has_signed_in = has_signed_in_for(session, url=url)
    if has_signed_in and is_another:
        raise RedirectError("login_required", "another user than id_token_hint names signed in", reason="another_user")
    return not has_signed_in
