"""Auth0's Management API, as far as it is needed: a token, and calls that say what kind of failure they met.

ManagementError
├── Unavailable    try again: no answer, a limit, a fault of theirs, a token they do not take
└── Declined       another try would end the same; `status` is what they answered
"""

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from oauth_provider.outbound.fetch import Fetched, FetchError, fetch
from oauth_provider.webhooks.auth0.tenant import Tenant

MAX_BYTES = 1_048_576
# A token is given up that long before its end
EARLY_S = 60
MOST_WAIT_S = 3600

# By tenant and client; a credential, so it is kept in this process and nowhere else
_tokens: dict[tuple[str, str], tuple[str, float]] = {}


class ManagementError(Exception):
    """Root; `reason` is the event's slug."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unavailable(ManagementError):
    """`retry_after_s`: when it may work."""

    def __init__(self, reason: str, *, retry_after_s: int = 60) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Declined(ManagementError):
    """Auth0 understood, and does not do it."""

    def __init__(self, reason: str, *, status: int) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Management:
    """The API of one tenant."""

    tenant: Tenant

    def call(self, method: str, *path: str, query: str = "", body: object = None) -> Any:  # noqa: ANN401 - JSON of others
        """The JSON of a successful answer, None when it has none; `path` are the segments after /api/v2.

        Raises:
            Unavailable: try again later.
            Declined: do not.
        """
        url = "/".join([f"{self.tenant.origin}/api/v2", *(quote(segment, safe="") for segment in path)]) + query
        answer = self._sent(method, url, body)
        if answer.status == 401:
            # Revoked there before its end: once more with a new one
            _tokens.pop(self._key, None)
            answer = self._sent(method, url, body)
        _check(answer)
        return _read(answer)

    @property
    def _key(self) -> tuple[str, str]:
        return self.tenant.origin, self.tenant.client_id

    def _sent(self, method: str, url: str, body: object) -> Fetched:
        headers = {"authorization": f"Bearer {self._token()}"}
        return _asked(method, url, headers=headers, body=b"" if body is None else json.dumps(body).encode())

    def _token(self) -> str:
        token, ends_at = _tokens.get(self._key, ("", 0.0))
        if ends_at > time.time():
            return token
        asked = {
            "grant_type": "client_credentials",
            "client_id": self.tenant.client_id,
            "client_secret": self.tenant.client_secret,
            "audience": f"{self.tenant.origin}/api/v2/",
        }
        answer = _asked("POST", f"{self.tenant.origin}/oauth/token", headers={}, body=json.dumps(asked).encode())
        if answer.status in {400, 401, 403}:
            raise Unavailable("auth0_credentials_refused", retry_after_s=MOST_WAIT_S)
        _check(answer)
        found = _read(answer)
        if not isinstance(found, dict) or not isinstance(found.get("access_token"), str):
            raise Unavailable("auth0_answer_unreadable")
        lifetime = found.get("expires_in")
        lasts_s = lifetime if isinstance(lifetime, int) and not isinstance(lifetime, bool) else 0
        _tokens[self._key] = (found["access_token"], time.time() + lasts_s - EARLY_S)
        return str(found["access_token"])


def _asked(method: str, url: str, *, headers: dict[str, str], body: bytes) -> Fetched:
    sent = headers | ({"content-type": "application/json"} if body else {})
    try:
        # The operator named the tenant; http is for one on this machine
        return fetch(
            url=url,
            method=method,
            headers=sent,
            body=body,
            max_bytes=MAX_BYTES,
            allow_private=url.startswith("http://"),
        )
    except FetchError as fault:
        raise Unavailable("auth0_unreachable") from fault


def _check(answer: Fetched) -> None:
    if answer.status == 429:
        raise Unavailable("auth0_rate_limited", retry_after_s=_wait_s(answer))
    if answer.status >= 500 or answer.status in {401, 408}:
        raise Unavailable("auth0_token_refused" if answer.status == 401 else "auth0_failed")
    if not 200 <= answer.status < 300:
        raise Declined("auth0_declined", status=answer.status)


def _wait_s(answer: Fetched) -> int:
    # Retry-After, else the second at which the limit is lifted (Auth0's own header)
    after, reset = (answer.headers.get(name, "") for name in ("retry-after", "x-ratelimit-reset"))
    if after.isdecimal():
        return min(MOST_WAIT_S, max(1, int(after[:6])))
    return min(MOST_WAIT_S, max(1, int(reset) - int(time.time()))) if reset.isdecimal() and len(reset) < 12 else 60


def _read(answer: Fetched) -> object:
    try:
        return json.loads(answer.body) if answer.body else None
    except (ValueError, RecursionError) as fault:
        raise Unavailable("auth0_answer_unreadable") from fault
