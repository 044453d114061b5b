"""The identity assertion, as a backend verifies it: against the published keys, claim by claim."""

import time
from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, KeySet

from oauth_provider.keys.signing import create_signing_key, current_signing_key, jwks
from proxy.upstream.assertion import Claims, Signer

pytestmark = pytest.mark.django_db

ISSUER = "https://gateway.example"
CLAIMS = Claims(
    audience="careers",
    subject="user_2abc",
    client_id="client-1",
    scope="jobs:read",
    request_id="01890a5d-ac96-774b-bcce-b302099a8057",
    method="POST",
    url="http://careers.internal/api/jobs",
    body_digest="47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
)


def signed(claims: Claims = CLAIMS) -> str:
    """The assertion of the key in force."""
    return Signer(issuer=ISSUER, key=current_signing_key()).sign(claims)


def verified(token: str) -> jwt.Token:
    """As a backend does it, with nothing but the published document."""
    return jwt.decode(token, KeySet([ECKey.import_key(key) for key in jwks()["keys"]]), algorithms=["ES256"])


def test_it_carries_exactly_the_claims_of_the_contract() -> None:
    claims = verified(signed()).claims
    now = time.time()
    assert abs(claims.pop("iat") - now) < 5
    assert abs(claims.pop("exp") - now - 60) < 5
    assert claims == {
        "iss": ISSUER,
        "aud": "careers",
        "sub": "user_2abc",
        "client_id": "client-1",
        "scope": "jobs:read",
        "jti": "01890a5d-ac96-774b-bcce-b302099a8057",
        "htm": "POST",
        "htu": "http://careers.internal/api/jobs",
        "bdh": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
    }


def test_what_an_issuer_says_of_the_user_is_asserted_too() -> None:
    claims = verified(signed(replace(CLAIMS, tenant="org_1", roles=("admin", "site, one")))).claims
    assert (claims["tenant"], claims["roles"]) == ("org_1", ["admin", "site, one"])


def test_its_header_says_what_it_is_and_who_signed_it() -> None:
    token = signed()
    assert verified(token).header == {"alg": "ES256", "typ": "gateway-identity+jwt", "kid": current_signing_key().kid}


def test_it_lives_for_a_minute() -> None:
    claims = verified(signed()).claims
    assert claims["exp"] - claims["iat"] == 60


def test_a_service_has_no_subject_and_a_streamed_body_no_digest() -> None:
    service = Claims(
        audience="careers", subject="", client_id="c", scope="", request_id="r", method="GET", url="u", body_digest=""
    )
    claims = verified(signed(service)).claims
    assert "sub" not in claims
    assert "bdh" not in claims
    assert claims["scope"] == ""


def test_an_older_key_keeps_verifying_after_rotation() -> None:
    before = signed()
    create_signing_key()
    assert verified(before).header["kid"] != verified(signed()).header["kid"]


def test_a_changed_assertion_is_worth_nothing() -> None:
    head, body, signature = signed().split(".")
    other = signed(Claims(**{**{name: getattr(CLAIMS, name) for name in CLAIMS.__slots__}, "subject": "user_2def"}))
    with pytest.raises(BadSignatureError):
        verified(f"{head}.{other.split('.')[1]}.{signature}")
    assert body != other.split(".")[1]
