"""`max_age` (OpenID Connect Core section 3.1.2.1): how old the sign-in may be."""

import re

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest

_SECONDS = re.compile(r"[0-9]{1,9}")


def check_max_age(request: AuthorizationRequest) -> int | None:
    """Return the seconds a sign-in may be old; None when the client does not mind.

    Raises:
        RedirectError: it is not a number of seconds.
    """
    if not request.max_age:
        return None
    if not _SECONDS.fullmatch(request.max_age):
        raise RedirectError("invalid_request", "max_age must be a number of seconds", reason="malformed_max_age")
    return int(request.max_age)
