"""When the person of a session signed in, and which page wants her to do it again."""

import hashlib
import time

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

_AT = "signed_in_at"
_ASKED = "asked_to_sign_in"
# How long a page may take from asking to going on, and how many of them one browser has open
_PATIENCE_S = 600
_MOST = 8


def note_sign_in(sender: type[object], request: HttpRequest, **_signal: object) -> None:
    """Receive Django's `user_logged_in`, whichever page she used."""
    del sender
    request.session[_AT] = time.time()


def signed_in_at(session: SessionBase) -> float:
    """Seconds since the epoch; 0 when it is not known."""
    return float(session.get(_AT, 0))


def ask_to_sign_in(session: SessionBase, *, url: str) -> None:
    """Remember that the page at `url` wants a sign-in from now on, so that it can tell when it got one."""
    now = time.time()
    asked = {key: at for key, at in pending(session).items() if now - at < _PATIENCE_S}
    asked[_key(url)] = now
    session[_ASKED] = dict(sorted(asked.items(), key=lambda item: item[1])[-_MOST:])


def has_signed_in_for(session: SessionBase, *, url: str) -> bool:
    """Whether she signed in after the page at `url` asked for it, and not long ago."""
    asked_at = pending(session).get(_key(url))
    return asked_at is not None and asked_at <= signed_in_at(session) and time.time() - asked_at < _PATIENCE_S


def pending(session: SessionBase) -> dict[str, float]:
    """What pages of this browser asked for."""
    found: dict[str, float] = session.get(_ASKED, {})
    return found


def keep_pending(session: SessionBase, asked: dict[str, float]) -> None:
    """Put it back after a sign-in as somebody else, which empties the session."""
    if asked:
        session[_ASKED] = asked


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:32]
