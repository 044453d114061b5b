"""Whether somebody who is signed in must do it once more before this request goes on."""

import time

from django.contrib.sessions.backends.base import SessionBase

from oauth_provider.authorize.run import Acceptable
from oauth_provider.identities.signed_in import has_signed_in_for, signed_in_at


def must_sign_in(acceptable: Acceptable, *, session: SessionBase, url: str) -> bool:
    """``prompt=login`` always asks, ``max_age`` when the sign-in is older; once, so that nobody goes in circles."""
    age_s = time.time() - signed_in_at(session)
    is_old = acceptable.max_age_s is not None and age_s > acceptable.max_age_s
    is_wanted = is_old or "login" in acceptable.answerable.request.prompt
    return is_wanted and not has_signed_in_for(session, url=url)
