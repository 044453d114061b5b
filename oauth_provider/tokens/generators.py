"""What tokens look like: opaque, 256 bits, with a prefix that secret scanners and the gateway recognise.

An API may ask for signed access tokens instead (`Resource.token_format`).
"""

import secrets

from oauthlib.common import Request

from oauth_provider.tokens.grounds import grounds_of
from oauth_provider.tokens.signed import sign_access_token

ACCESS_TOKEN_PREFIX = "gh_at_"  # noqa: S105 - the public part
REFRESH_TOKEN_PREFIX = "gh_rt_"  # noqa: S105 - the public part


def access_token(request: Request, refresh_token: bool = False) -> str:  # noqa: ARG001, FBT002 - the library's signature
    """A new access token in the format of the API it is for."""
    grounds = grounds_of(request)
    if grounds.signed:
        return sign_access_token(grounds, client_id=request.client_id, scopes=request.scopes)
    return opaque_access_token()


def opaque_access_token() -> str:
    """One that says nothing to whoever reads it."""
    return ACCESS_TOKEN_PREFIX + secrets.token_urlsafe(32)


def refresh_token(_request: Request, refresh_token: bool = False) -> str:  # noqa: ARG001, FBT002 - the library's signature
    """A new refresh token."""
    return REFRESH_TOKEN_PREFIX + secrets.token_urlsafe(32)
