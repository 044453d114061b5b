"""JWK Sets by URL: fetched rarely, kept where every worker finds them, and used on while their host is away."""

import hashlib
import time
from dataclasses import asdict, dataclass

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
    kept, now = _kept(url), time.time()
    if kept is None or _is_due(kept, now, kid):
        kept = _renewed(url, kept, now, allow_private=allow_private)
    if not kept.text or now - kept.fetched_at > STALE_FOR_S:
        raise KeysUnavailableError(kept.fault or "keys_too_old")
    return public_keys(kept.text)


def _is_due(kept: _Copy, now: float, kid: str) -> bool:
    if now - kept.tried_at < REFRESH_FLOOR_S:
        return False
    if now - kept.fetched_at > FRESH_FOR_S:
        return True
    return bool(kid) and all(key.kid != kid for key in public_keys(kept.text))


def _renewed(url: str, kept: _Copy | None, now: float, *, allow_private: bool) -> _Copy:
    if kept is not None:
        # Whoever comes meanwhile uses the old copy
        _keep(url, _Copy(kept.text, kept.fetched_at, now, kept.fault))
    try:
        copy = _Copy(_served(url, allow_private=allow_private), now, now)
    except (FetchError, BadKeysError) as error:
        copy = _Copy(kept.text if kept else "", kept.fetched_at if kept else 0.0, now, error.reason)
    _keep(url, copy)
    return copy


def _served(url: str, *, allow_private: bool) -> str:
    answer = fetch(url=url, max_bytes=MAX_BYTES, allow_private=allow_private)
    if answer.status != 200 or answer.media_type not in _MEDIA_TYPES:
        raise FetchError("keys_not_served")
    public_keys(answer.body)
    return answer.body.decode()


def _kept(url: str) -> _Copy | None:
    found = cache.get(_name(url))
    return _Copy(**found) if isinstance(found, dict) else None


def _keep(url: str, copy: _Copy) -> None:
    cache.set(_name(url), asdict(copy), timeout=STALE_FOR_S)


def _name(url: str) -> str:
    return f"jwks:{hashlib.sha256(url.encode()).hexdigest()}"
