"""Proof Key for Code Exchange: S256 only, well formed, and required unless the client is exempt."""

import re

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest
from oauth_provider.clients.models import Client

# RFC 7636 section 4.2
_CHALLENGE = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def check_pkce(request: AuthorizationRequest, client: Client) -> None:
    """Require an S256 challenge (RFC 9700 section 2.1.1); an exempt client may send none at all, never half of one.

    Raises:
        RedirectError: missing, plain, without a method, or malformed.
    """
    challenge, method = request.code_challenge, request.code_challenge_method
    if not challenge and not method and not client.requires_pkce:
        return
    if not challenge:
        raise RedirectError("invalid_request", "code_challenge is required", reason="missing_code_challenge")
    if method != "S256":
        # Without a method RFC 7636 section 4.3 means "plain", which protects nothing.
        raise RedirectError("invalid_request", "code_challenge_method must be S256", reason="challenge_method")
    if not _CHALLENGE.fullmatch(challenge):
        raise RedirectError(
            "invalid_request", "code_challenge must be 43 to 128 unreserved characters", reason="malformed_challenge"
        )
