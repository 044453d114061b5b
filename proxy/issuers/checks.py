"""What must hold for an external token, one check per function (RFC 7519 section 7.2, RFC 8725, RFC 9068 section 4)."""

import math
from collections.abc import Mapping
from typing import Any

from proxy.catalogue.issuer_plan import IssuerPlan
from proxy.issuers.compact import Unverified
from proxy.issuers.jwks import PublicKey
from proxy.issuers.refused import InvalidExternalToken

# How far the clocks of two companies may be apart, for nbf and iat; the end of a token is its end
LEEWAY_S = 60
# Headers that bring a key along, or an extension nobody here knows (RFC 7515 sections 4.1.2 to 4.1.6 and 4.1.11)
_REFUSED_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "enc", "zip"})
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt", "application/jwt"})
# Only ID tokens carry them (OpenID Connect Core section 3.3.2.11, FAPI)
_ID_TOKEN_CLAIMS = frozenset({"at_hash", "c_hash", "s_hash"})
# Keycloak puts what a token is into the claims
_OTHER_KINDS = frozenset({"id", "refresh", "offline", "logout"})


def check_header(token: Unverified) -> None:
    """It brings no key of its own and asks for no extension.

    Raises:
        InvalidExternalToken: header_parameter.
    """
    kid = token.header.get("kid")
    if _REFUSED_HEADERS & token.header.keys() or not isinstance(kid, str | None):
        raise InvalidExternalToken("header_parameter")


def check_kind(token: Unverified) -> None:
    """It is an access token, as far as it says what it is (RFC 9068 section 4, RFC 8725 section 3.11).

    Raises:
        InvalidExternalToken: token_type: an ID token, a logout token, or something else with the same signature.
    """
    kind = token.header.get("typ", "JWT")
    own = token.claims.get("typ", "")
    is_other = isinstance(own, str) and own.lower() in _OTHER_KINDS
    if not isinstance(kind, str) or kind.lower() not in _TYPES or is_other or _ID_TOKEN_CLAIMS & token.claims.keys():
        raise InvalidExternalToken("token_type")


def check_algorithm(token: Unverified, issuer: IssuerPlan) -> None:
    """Its algorithm is one that staff pinned for this issuer (RFC 8725 section 3.1).

    Raises:
        InvalidExternalToken: algorithm_refused; `none` and the symmetric ones can be pinned nowhere.
    """
    if token.algorithm not in issuer.algorithms:
        raise InvalidExternalToken("algorithm_refused")


def check_signature(token: Unverified, key: PublicKey) -> None:
    """It was signed with the private half of `key`.

    Raises:
        InvalidExternalToken: bad_signature.
    """
    if not key.verifies(token.signed, token.signature):
        raise InvalidExternalToken("bad_signature")


def check_end(token: Unverified, now: float) -> float:
    """It ends, and not yet; seconds since the epoch.

    Raises:
        InvalidExternalToken: no_expiry, expired, claim_malformed.
    """
    end = _moment(token.claims, "exp")
    if end is None:
        raise InvalidExternalToken("no_expiry")
    if end <= now:
        raise InvalidExternalToken("expired")
    return end


def check_begin(token: Unverified, now: float) -> None:
    """It is valid already and was not issued in the future, give or take a minute.

    Raises:
        InvalidExternalToken: not_yet_valid, claim_malformed.
    """
    moments = [_moment(token.claims, name) for name in ("nbf", "iat")]
    if any(moment is not None and moment > now + LEEWAY_S for moment in moments):
        raise InvalidExternalToken("not_yet_valid")


def audiences(token: Unverified, issuer: IssuerPlan) -> tuple[str, ...]:
    """Those it was issued for that staff configured; none means it is for somebody else.

    Raises:
        InvalidExternalToken: claim_malformed.
    """
    found = token.claims.get("aud", [])
    named = [found] if isinstance(found, str) else found
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise InvalidExternalToken("claim_malformed")
    return tuple(sorted(issuer.audiences & set(named)))


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    # NumericDate (RFC 7519 section 2); to Python, True is a number
    if name not in claims:
        return None
    found = claims[name]
    try:
        moment = float(found) if isinstance(found, int | float) and not isinstance(found, bool) else math.nan
    except OverflowError:
        moment = math.nan
    if not math.isfinite(moment):
        raise InvalidExternalToken("claim_malformed")
    return moment
