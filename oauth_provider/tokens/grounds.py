"""What the access token being issued stands on; the generators read it from oauthlib's request."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from oauthlib.common import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """For which API, for whom and from when to when; whether as a signed token, that is for the API to say.

    `audience` is the API's identifier; `subject` a user's external id, or the client's own id when it acts for itself
    (RFC 9068 section 2.2); `actors` are the clients an exchanged token went through, the first one first, its new
    owner left out.
    """

    audience: str
    signed: bool
    subject: str
    issued_at: datetime
    expires_at: datetime
    actors: tuple[str, ...] = ()

    @property
    def lifetime_s(self) -> int:
        """Whole seconds, as `expires_in` says it."""
        return int((self.expires_at - self.issued_at).total_seconds())


def lifetime(*, now: datetime, lifetime_s: int, ends: tuple[datetime | None, ...] = ()) -> datetime:
    """When an access token expires: after its client's lifetime, and before whatever it hangs on `ends`."""
    return min([now + timedelta(seconds=lifetime_s), *(end for end in ends if end is not None)])


def grounds_of(request: Request) -> Grounds:
    """What the validator found for this request."""
    grounds: Grounds = request.grounds
    return grounds


def expires_in(request: Request) -> int:
    """The access token's lifetime in seconds."""
    return grounds_of(request).lifetime_s
