"""The UserInfo endpoint (OpenID Connect Core section 5.3).

Which access tokens it takes: every live one that a person gave `openid`, whatever API it is for. ChatGPT and other
clients send one `resource` to the authorization and the token endpoint (RFC 8707) and use the token they get at their
API and here; the endpoint is this server's own, which looks the token up, and `openid` is the permission for it. A
token for which nothing but OpenID scopes was asked, and no resource, is for this endpoint alone and opens no API: the
audience of RFC 9068 is then the endpoint. An exchanged token (RFC 8693) carries no OpenID scope: who a person is was
told to the client they chose, and to no part of another.
"""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.openid.claims import claims_of
from oauth_provider.scopes.openid import OPENID
from oauth_provider.tokens.verify import InvalidToken, VerifiedToken, verify_access_token

_SCHEME = "bearer"


class Challenge(Exception):
    """Why nothing is told (RFC 6750 section 3.1); `error` is "" for a request without a credential."""

    def __init__(self, status: int, error: str, description: str, *, reason: str, client_id: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.error = error
        self.description = description
        self.reason = reason
        self.client_id = client_id

    @property
    def header(self) -> str:
        """The value of WWW-Authenticate."""
        parts = ['Bearer realm="gatehouse"']
        if self.error:
            parts += [f'error="{self.error}"', f'error_description="{self.description}"']
        if self.error == "insufficient_scope":
            parts.append(f'scope="{OPENID}"')
        return ", ".join(parts)


def tell_about_user(request: HttpRequest) -> dict[str, Any]:
    """The claims of whoever gave the request's access token, an event of the ledger.

    Raises:
        Challenge: no token, a token in the wrong place, or one that is not good for this.
    """
    verified = _verified(_bearer(request))
    user = User.objects.select_related("identity").get(pk=verified.user.user_id) if verified.user else None
    if user is None or verified.user is None or OPENID not in verified.scopes:
        raise Challenge(
            403,
            "insufficient_scope",
            "The token does not carry openid.",
            reason="insufficient_scope",
            client_id=verified.client_id,
        )
    claims = claims_of(user, subject=verified.user.external_id, scopes=verified.scopes)
    record(
        kind=Kind.OAUTH_USERINFO_READ,
        user=verified.user,
        client_id=verified.client_id,
        connection=verified.connection,
        decision=Decision.ALLOW,
        status=200,
        scopes=" ".join(sorted(verified.scopes)),
        token=verified.fingerprint,
        fields=tuple(claims),
    )
    return claims


def _bearer(request: HttpRequest) -> str:
    header = request.headers.get("Authorization", "")
    # The other two places of RFC 6750 end up in logs and histories
    if "access_token" in request.GET or "access_token" in request.POST:
        raise Challenge(
            400, "invalid_request", "Send the token in the Authorization header.", reason="credential_in_query"
        )
    if not header:
        raise Challenge(401, "", "", reason="no_credential")
    scheme, _space, token = header.partition(" ")
    if scheme.lower() != _SCHEME or not token.strip():
        raise Challenge(401, "", "", reason="no_credential")
    return token.strip()


def _verified(token: str) -> VerifiedToken:
    try:
        return verify_access_token(token)
    except InvalidToken as fault:
        raise Challenge(401, "invalid_token", "The access token is not valid.", reason=fault.reason) from fault
