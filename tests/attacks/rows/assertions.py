"""D: assertions of a client that has a key (RFC 7523 section 3, RFC 8725)."""

import hashlib
import hmac
import json
import time
from typing import Any

import httpx
from joserfc.jwk import ECKey

from tests.attacks import expect
from tests.attacks.signer import ASSERTION_TYPE, KEY, claims, encoded, key_set, signed
from tests.attacks.table import row
from tests.attacks.target import Target


def _redeem(target: Target, assertion: str, *, code: str = "") -> httpx.Response:
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, "client_secret": None}
    return target.redeem(code or target.code("K"), "K", **proof)


def _claims(target: Target, **changes: Any) -> dict[str, Any]:
    return claims(target.clients["K"].client_id, target.issuer, **changes)


@row("D10", "a signed assertion", expected="200, once")
def signature(target: Target) -> None:
    assertion = signed(_claims(target))
    first = _redeem(target, assertion)
    expect.that(first.status_code == 200, f"HTTP {first.status_code}")
    expect.token_refused(_redeem(target, assertion), 401, "invalid_client")


@row("D11", "an assertion with `alg=none`, and one signed with the public key as a secret", expected="401")
def algorithms(target: Target) -> None:
    body, code = encoded(json.dumps(_claims(target)).encode()), target.code("K")
    unsigned = encoded(json.dumps({"alg": "none"}).encode())
    expect.token_refused(_redeem(target, f"{unsigned}.{body}.", code=code), 401, "invalid_client")
    head = encoded(json.dumps({"alg": "HS256", "kid": "k1"}).encode())
    for secret in (KEY.as_pem(private=False), key_set().encode()):
        mac = encoded(hmac.digest(secret, f"{head}.{body}".encode(), hashlib.sha256))
        expect.token_refused(_redeem(target, f"{head}.{body}.{mac}", code=code), 401, "invalid_client")


@row("D12", "assertions for others, of others, for too long, without an end or a `jti`", expected="401 each")
def wrong_claims(target: Target) -> None:
    now, code = int(time.time()), target.code("K")
    for changes in (
        {"aud": "https://other.example"},
        {"iss": "another"},
        {"sub": "another"},
        {"exp": None},
        {"exp": now - 120},
        {"exp": now + 86_400},
        {"jti": None},
    ):
        expect.token_refused(_redeem(target, signed(_claims(target, **changes)), code=code), 401, "invalid_client")


@row("D13", "an assertion whose header brings its own key", expected="401, and nobody is asked for it")
def own_key(target: Target) -> None:
    thief, code = ECKey.generate_key("P-256", {"kid": "k1"}), target.code("K")
    for header in (
        {"jwk": thief.as_dict(private=False)},
        {"jku": "http://127.0.0.1:1/jwks.json"},
        {"x5u": "http://127.0.0.1:1/x5u"},
    ):
        assertion = signed(_claims(target), key=thief, **header)
        expect.token_refused(_redeem(target, assertion, code=code), 401, "invalid_client")
