"""Is an ID token the provider's, for us, of this sign-in, and fresh (OpenID Connect Core section 3.1.3.7)?"""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from oauth_provider.identities.provider.company import Company
from oauth_provider.identities.provider.errors import AnswerRefused
from oauth_provider.identities.signed_in import Demand

# Never `none`, never HMAC: whoever knows a client secret could write one
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
# How far two clocks may be apart
LEEWAY_S = 60
TOKEN_MAX = 16_384


def check_id_token(
    token: object, *, company: Company, nonce: str, keys: Callable[[str], KeySet], demand: Demand
) -> dict[str, Any]:
    """The claims of `token`; `keys` gives the provider's keys, among them the one of that id.

    Raises:
        AnswerRefused: any of the rules is broken.
        ProviderFault: the keys cannot be read.
    """
    if not isinstance(token, str) or len(token) > TOKEN_MAX:
        raise AnswerRefused("id_token_missing")
    claims = _verified(token, keys)
    rules = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_S,
        iss={"essential": True, "value": company.issuer},
        aud={"essential": True, "value": company.client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        rules.validate(claims)
    except (JoseError, ValueError, TypeError) as fault:
        raise AnswerRefused("id_token_refused") from fault
    _check_party(claims, company)
    _check_freshness(claims, demand)
    return claims


def auth_time(claims: dict[str, Any]) -> float | None:
    """When she last proved who she is, if the provider says so and it is no time to come; seconds since the epoch."""
    at = claims.get("auth_time")
    if isinstance(at, bool) or not isinstance(at, int | float) or at <= 0 or at > time.time() + LEEWAY_S:
        return None
    return float(at)


def _verified(token: str, keys: Callable[[str], KeySet]) -> dict[str, Any]:
    known = keys(_key_id(token))
    try:
        return jwt.decode(token, known, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as fault:
        raise AnswerRefused("id_token_refused") from fault


def _key_id(token: str) -> str:
    head = token.partition(".")[0]
    try:
        found = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError) as fault:
        raise AnswerRefused("id_token_refused") from fault
    kid = found.get("kid") if isinstance(found, dict) else None
    return kid if isinstance(kid, str) else ""


def _check_party(claims: dict[str, Any], company: Company) -> None:
    # Rules 4 and 5: a token for several parties says which one asked for it
    party, audience = claims.get("azp"), claims["aud"]
    is_shared = isinstance(audience, list) and len(audience) > 1
    if party != company.client_id and (party is not None or is_shared):
        raise AnswerRefused("id_token_refused")


def _check_freshness(claims: dict[str, Any], demand: Demand) -> None:
    at = auth_time(claims)
    oldest = demand.asked_at - LEEWAY_S
    if demand.max_age_s is not None and (at is None or at < oldest - demand.max_age_s):
        raise AnswerRefused("sign_in_too_old")
    if demand.again and at is not None and at < oldest:
        raise AnswerRefused("sign_in_too_old")
