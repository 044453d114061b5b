"""When the person of a session proved who she is, and which page wants her to do it again."""

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

_AT = "signed_in_at"
_PROVEN = "proven_at"
_ASKED = "asked_to_sign_in"
# How long a page may take from asking to going on, and how many of them one browser has open
_PATIENCE_S = 600
_MOST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a page asked for at `asked_at` (seconds since the epoch): a new proof, or one `max_age_s` old at most."""

    asked_at: float = 0
    again: bool = False
    max_age_s: int | None = None


def note_sign_in(sender: type[object], request: HttpRequest, **_signal: object) -> None:
    """Receive Django's `user_logged_in`, whichever page she used: a password was typed just now."""
    del sender
    request.session[_AT] = request.session[_PROVEN] = time.time()


def note_proof(session: SessionBase, *, at: float | None, demand: Demand) -> None:
    """Correct it after a sign-in with the company's provider, which may remember her from earlier.

    `at` is when she proved who she is, None when the provider does not say; `demand` is what it was asked for and met.
    """
    now = time.time()
    session[_AT] = at or now
    session[_PROVEN] = now if demand.asked_at else at or 0.0


def signed_in_at(session: SessionBase) -> float:
    """Seconds since the epoch; 0 when it is not known."""
    return float(session.get(_AT, 0))


def moment_of_sign_in(session: SessionBase) -> datetime | None:
    """The same as a moment; None when it is not known."""
    seconds = signed_in_at(session)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def ask_to_sign_in(session: SessionBase, *, url: str, again: bool, max_age_s: int | None) -> None:
    """Remember that the page at `url` wants a sign-in from now on, so that it can tell when it got one."""
    now = time.time()
    asked = {key: entry for key, entry in pending(session).items() if now - entry[0] < _PATIENCE_S}
    asked[_key(url)] = (now, again, max_age_s)
    session[_ASKED] = dict(sorted(asked.items(), key=lambda item: item[1][0])[-_MOST:])


def demanded(session: SessionBase, *, url: str) -> Demand:
    """What the page at `url` wants of the next sign-in; nothing, when it did not ask or long ago."""
    at, again, max_age_s = pending(session).get(_key(url), (0, False, None))
    if time.time() - at >= _PATIENCE_S:
        return Demand()
    return Demand(asked_at=at, again=again, max_age_s=max_age_s)


def has_signed_in_for(session: SessionBase, *, url: str) -> bool:
    """Whether she proved who she is after the page at `url` asked for it, and not long ago."""
    asked_at = demanded(session, url=url).asked_at
    return bool(asked_at) and asked_at <= float(session.get(_PROVEN, 0))


def pending(session: SessionBase) -> dict[str, tuple[float, bool, int | None]]:
    """What pages of this browser asked for."""
    found: dict[str, tuple[float, bool, int | None]] = session.get(_ASKED, {})
    return found


def keep_pending(session: SessionBase, asked: dict[str, tuple[float, bool, int | None]]) -> None:
    """Put it back after a sign-in as somebody else, which empties the session."""
    if asked:
        session[_ASKED] = asked


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:32]
