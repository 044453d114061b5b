"""Ask a token endpoint for a token of the gateway's own (RFC 6749 section 4.4)."""

import json
import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

from oauth_provider.outbound.fetch import AddressRefusedError, Fetched, FetchError, TooLargeError, fetch
from proxy.catalogue.credentials import CLIENT_SECRET_BASIC, ClientCredentials

WITHIN_S = 5.0
# RFC 6749 section 5.1 only recommends expires_in; and nobody is trusted for longer than a day
LIFETIME_S = 300.0
LIFETIME_MAX_S = 86_400.0
# Worth another try soon (RFC 9110 sections 15.5.9 and 15.6, RFC 6585 section 4)
_LATER = frozenset({408, 425, 429})
# Wider than RFC 6750 section 2.1, because some servers are; nothing that could end a header
_TOKEN = re.compile(r"\A[!-~]{1,8192}\Z")
_ERROR = re.compile(r"\A[a-z_]{1,60}\Z")


@dataclass(frozen=True, slots=True)
class FetchedToken:
    """A token and for how many seconds it is good, counted from before it was asked for."""

    value: str = field(repr=False)
    lifetime_s: float


class TokenNotFetched(Exception):
    """There is no token. `reason` is the slug for the ledger, `is_lasting`: asking again will not help soon.

    `error` is what the token endpoint called it (RFC 6749 section 5.2), "" when it said nothing that can be shown.
    """

    def __init__(self, *, reason: str, is_lasting: bool, error: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_lasting = is_lasting
        self.error = error


def request_token(credential: ClientCredentials) -> FetchedToken:
    """A new token; blocks for up to five seconds.

    Raises:
        TokenNotFetched: the endpoint may not be called, cannot be reached, refuses, or says something else.
    """
    try:
        answer = fetch(
            url=credential.token_url,
            allow_private=credential.allow_private,
            timeout_s=WITHIN_S,
            method="POST",
            headers=_headers(credential),
            body=urlencode(_form(credential)).encode(),
        )
    except AddressRefusedError:
        raise TokenNotFetched(reason="backend_token_address_refused", is_lasting=True) from None
    except TooLargeError:
        raise TokenNotFetched(reason="backend_token_unreadable", is_lasting=True) from None
    except FetchError as fault:
        raise TokenNotFetched(reason="backend_token_unavailable", is_lasting=False, error=fault.reason) from None
    return _token(answer)


def _headers(credential: ClientCredentials) -> dict[str, str]:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if credential.token_endpoint_auth_method == CLIENT_SECRET_BASIC:
        # RFC 6749 section 2.3.1: encoded as in a form, each, before they are joined
        pair = f"{quote_plus(credential.client_id)}:{quote_plus(credential.client_secret)}"
        headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return headers


def _form(credential: ClientCredentials) -> dict[str, str]:
    form = {
        "grant_type": "client_credentials",
        "scope": credential.scope,
        "audience": credential.audience,
        "resource": credential.resource,
    }
    if credential.token_endpoint_auth_method != CLIENT_SECRET_BASIC:
        form |= {"client_id": credential.client_id, "client_secret": credential.client_secret}
    return {name: value for name, value in form.items() if value}


def _token(answer: Fetched) -> FetchedToken:
    said = _object(answer.body)
    if answer.status != 200:
        is_lasting = answer.status < 500 and answer.status not in _LATER
        reason = "backend_token_refused" if is_lasting else "backend_token_unavailable"
        error = said.get("error")
        shown = error if isinstance(error, str) and _ERROR.match(error) else ""
        raise TokenNotFetched(reason=reason, is_lasting=is_lasting, error=shown)
    value, kind = str(said.get("access_token") or ""), str(said.get("token_type"))
    if not _TOKEN.match(value) or kind.lower() != "bearer":
        raise TokenNotFetched(reason="backend_token_unreadable", is_lasting=True)
    return FetchedToken(value, _lifetime_s(said.get("expires_in")))


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _lifetime_s(value: object) -> float:
    # Some servers write the number as a text
    try:
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else LIFETIME_S
    except (ValueError, OverflowError):
        return LIFETIME_S
    return min(seconds, LIFETIME_MAX_S) if seconds > 0 else LIFETIME_S
