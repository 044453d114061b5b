"""JWK Sets by URL: fetched rarely, kept where every worker finds them, and used on while their host is away."""

import hashlib
import time
from dataclasses import asdict, dataclass
from time import sleep

from django.core.cache import cache
from joserfc.jwk import KeySet

from oauth_provider.outbound.fetch import FetchError, fetch
from oauth_provider.outbound.keys import BadKeysError, public_keys

# A copy is not asked for again before that
FRESH_FOR_S = 600
# A key nobody knows may be new: then after that, so that invented key ids cannot make this server ask at every call
REFRESH_FLOOR_S = 60
# While the host answers with nothing usable, a copy is good for that long
STALE_FOR_S = 86_400
MAX_BYTES = 65_536
# Of all who want a copy that nobody has yet, one asks; the others look for it so often, and no longer than a fetch
_TIMEOUT_S = 5.0
_POLL_S = 0.05
_ASKED = "keys_asked_for"
_MEDIA_TYPES = frozenset({"application/json", "application/jwk-set+json", "text/plain", "application/octet-stream"})


class KeysUnavailableError(Exception):
    """There is no key set; `reason` is the slug of what went wrong at the last attempt."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Copy:
    text: str
    fetched_at: float
    tried_at: float
    fault: str = ""


def keys_at(url: str, *, allow_private: bool = False, kid: str = "") -> KeySet:
    """The public keys published at `url`; with `kid`, asked for anew when none of the kept ones has that id.

    It may take as long as a fetch does, so call it outside of transactions.

    Raises:
        KeysUnavailableError: the host gave none, and none are kept.
    """
    name, now = _name(url, allow_private=allow_private), time.time()
    kept = _kept(name)
    if kept is None or _is_due(kept, now, kid):
        kept = _renewed(url, kept, now, allow_private=allow_private)
    elif kept.fault == _ASKED:
        kept = _awaited(name, kept)
    if not kept.text or now - kept.fetched_at > STALE_FOR_S:
        raise KeysUnavailableError(kept.fault or "keys_too_old")
    return public_keys(kept.text)


def _is_due(kept: _Copy, now: float, kid: str) -> bool:
    if now - kept.tried_at < REFRESH_FLOOR_S:
        return False
    if now - kept.fetched_at > FRESH_FOR_S:
        return True
    return bool(kid) and bool(kept.text) and all(key.kid != kid for key in public_keys(kept.text))


def _renewed(url: str, kept: _Copy | None, now: float, *, allow_private: bool) -> _Copy:
    name = _name(url, allow_private=allow_private)
    asked = _Copy("", 0.0, now, _ASKED)
    if kept is not None:
        # Whoever comes meanwhile uses the old copy
        _keep(name, _Copy(kept.text, kept.fetched_at, now, kept.fault))
    elif not cache.add(name, asdict(asked), timeout=STALE_FOR_S):
        return _awaited(name, asked)
    try:
        copy = _Copy(_served(url, allow_private=allow_private), now, now)
    except (FetchError, BadKeysError) as error:
        copy = _Copy(kept.text if kept else "", kept.fetched_at if kept else 0.0, now, error.reason)
    _keep(name, copy)
    return copy


def _awaited(name: str, asked: _Copy) -> _Copy:
    for _poll in range(int(_TIMEOUT_S / _POLL_S)):
        found = _kept(name)
        if found is None or found.fault != _ASKED:
            return found or asked
        sleep(_POLL_S)
    return asked


def _served(url: str, *, allow_private: bool) -> str:
    answer = fetch(url=url, max_bytes=MAX_BYTES, timeout_s=_TIMEOUT_S, allow_private=allow_private)
    if answer.status != 200 or answer.media_type not in _MEDIA_TYPES:
        raise FetchError("keys_not_served")
    public_keys(answer.body)
    return answer.body.decode()


def _kept(name: str) -> _Copy | None:
    found = cache.get(name)
    return _Copy(**found) if isinstance(found, dict) else None


def _keep(name: str, copy: _Copy) -> None:
    cache.set(name, asdict(copy), timeout=STALE_FOR_S)


def _name(url: str, *, allow_private: bool) -> str:
    # Whoever may not ask there neither profits from an answer to one who may, nor spoils it
    return f"jwks:{int(allow_private)}:{hashlib.sha256(url.encode()).hexdigest()}"
