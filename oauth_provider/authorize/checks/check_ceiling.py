"""Staff may limit what a person gives away: what lies beyond is not shown to them, and nothing left is a refusal.

A client is given less than it asked for, as RFC 6749 section 3.3 has it, and learns from the token what it got.
"""

from django.contrib.auth.models import User

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.identities.ceiling import within_ceiling
from oauth_provider.scopes.models import Scope


def check_ceiling(scopes: tuple[Scope, ...], user: User) -> tuple[Scope, ...]:
    """Return those of the scopes that the person may give.

    Raises:
        RedirectError: ``access_denied`` (RFC 6749 section 4.1.2.1); there is none.
    """
    grantable = within_ceiling(user, (scope.name for scope in scopes))
    left = tuple(scope for scope in scopes if scope.name in grantable)
    if not left:
        raise RedirectError("access_denied", "the user may not allow any of this", reason="beyond_ceiling")
    return left
