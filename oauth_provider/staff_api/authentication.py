"""Who calls the management API: a staff session, HTTP Basic, or a staff token (RFC 6750).

Each only says who it is; `permissions` decides what they may do.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.authentication import (
    BaseAuthentication,
    BasicAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import APIException, AuthenticationFailed, Throttled
from rest_framework.request import Request

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.staff_api.proven import proven_user, remember_proof
from oauth_provider.staff_tokens.models import StaffToken
from oauth_provider.staff_tokens.verify import verify_staff_token
from oauth_provider.throttle import ThrottledError, check, record_refusal, spend

CHALLENGE = 'Bearer realm="Gatehouse", Basic realm="Gatehouse", charset="UTF-8"'
MAX_CREDENTIAL = 512


class TooManyFailures(Throttled):
    """429, or 503 while nothing can be counted."""

    def __init__(self, refusal: ThrottledError) -> None:
        super().__init__(refusal.retry_after_s)
        self.status_code = refusal.status


class StaffTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer gh_st_…`."""

    def authenticate(self, request: Request) -> tuple[User, StaffToken] | None:
        """The member of staff and the token that acts for them; None when none was sent.

        Raises:
            AuthenticationFailed: it is unknown, expired or revoked.
        """
        scheme, _space, value = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token = verify_staff_token(value.strip().decode("latin-1"))
        if token is None:
            raise AuthenticationFailed(_("This token is unknown, expired or revoked."))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Both schemes (RFC 9110 section 11.6.1): whichever class is asked first answers for all."""
        del request
        return CHALLENGE


class StaffBasicAuthentication(BasicAuthentication):
    """User name and password: locked after failures like the sign-in page, and held to its rate."""

    def authenticate_credentials(
        self, userid: str, password: str, request: Request | HttpRequest | None = None
    ) -> tuple[Any, None]:
        """The user of that name and password.

        Raises:
            AuthenticationFailed: there is none.
            Throttled: the account is locked at this address, or the address failed too often.
        """
        if request is None or "\x00" in userid or max(len(userid), len(password)) > MAX_CREDENTIAL:
            raise AuthenticationFailed(_("Wrong user name or password."))
        if (user := proven_user(username=userid, password=password)) is not None:
            return user, None
        plain = request._request if isinstance(request, Request) else request  # noqa: SLF001 - its only name for it
        try:
            check(plain, rate="signin")
            # The framework's request, so that the lock's page, which is for people, does not replace our answer
            user = authenticate(request=request, username=userid, password=password)
            if user is None:
                raise self._failure(plain, is_locked=bool(getattr(request, "axes_locked_out", False)))
        except ThrottledError as refusal:
            record_refusal(refusal)
            raise TooManyFailures(refusal) from refusal
        remember_proof(user, username=userid, password=password)
        return user, None

    def _failure(self, request: HttpRequest, *, is_locked: bool) -> APIException:
        reason = "locked_out" if is_locked else "bad_credentials"
        record(kind=Kind.ACCOUNT_SIGNIN_FAILED, decision=Decision.DENY, reason=reason)
        spend(request, rate="signin")
        if is_locked:
            return Throttled(timedelta(hours=settings.AXES_COOLOFF_TIME).total_seconds())
        return AuthenticationFailed(_("Wrong user name or password."))


class StaffSessionAuthentication(SessionAuthentication):
    """The session of the admin; what changes something carries `X-CSRFToken`."""
