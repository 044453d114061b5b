"""What tokens look like: opaque, 256 bits, with a prefix that secret scanners and the gateway recognise."""

import secrets

from oauthlib.common import Request

ACCESS_TOKEN_PREFIX = "gh_at_"  # noqa: S105 - the public part
REFRESH_TOKEN_PREFIX = "gh_rt_"  # noqa: S105 - the public part


def access_token(_request: Request, refresh_token: bool = False) -> str:  # noqa: ARG001, FBT002 - the library's signature
    """A new access token."""
    return ACCESS_TOKEN_PREFIX + secrets.token_urlsafe(32)


def refresh_token(_request: Request, refresh_token: bool = False) -> str:  # noqa: ARG001, FBT002 - the library's signature
    """A new refresh token."""
    return REFRESH_TOKEN_PREFIX + secrets.token_urlsafe(32)


def expires_in(request: Request) -> int:
    """The access token's lifetime in seconds: the client's own."""
    return int(request.client.access_token_lifetime_s)
