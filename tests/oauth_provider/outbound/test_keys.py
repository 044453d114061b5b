"""Key sets of others: public keys only, and nothing of them breaks the reader."""

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from oauth_provider.outbound.keys import BadKeysError, public_keys

RSA = RSAKey.generate_key(2048, {"kid": "r"}).as_dict(private=False)
EC = ECKey.generate_key("P-256", {"kid": "e"}).as_dict(private=False)
OKP = OKPKey.generate_key("Ed25519").as_dict(private=False)


def text(*keys: Any) -> str:
    return json.dumps({"keys": keys})


def test_public_keys_are_read() -> None:
    found = public_keys(text(RSA, EC, OKP))
    assert [key.key_type for key in found] == ["RSA", "EC", "OKP"]
    assert [key.kid for key in found][:2] == ["r", "e"]


def test_what_nobody_here_knows_is_passed_over() -> None:
    unknown = [{"kty": "AKP", "pub": "x"}, {}, {"kty": 5}, {"kty": ["RSA"]}, RSA | {"use": "enc"}]
    assert len(public_keys(text(*unknown, RSA)).keys) == 1


@pytest.mark.parametrize(
    "key",
    [
        RSAKey.generate_key(2048).as_dict(private=True),
        ECKey.generate_key("P-256").as_dict(private=True),
        OKPKey.generate_key("Ed25519").as_dict(private=True),
        OctKey.generate_key(256).as_dict(private=True),
        {"kty": "oct"},
        EC | {"d": "AA"},
    ],
)
def test_a_private_or_shared_key_is_refused_even_beside_a_good_one(key: Any) -> None:
    for keys in (text(key), text(RSA, key)):
        with pytest.raises(BadKeysError) as refusal:
            public_keys(keys)
        assert refusal.value.reason == "private_key"


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "RSA", "n": 1, "e": "AQAB"},
        {"kty": "RSA", "n": "é", "e": "AQAB"},
        {"kty": "RSA", "e": "AQAB"},
        RSA | {"n": RSA["n"][:170]},
        RSA | {"n": "A" * 60_000},
        RSA | {"e": "AA"},
        RSA | {"e": "A" * 400},
        RSA | {"kid": 5},
        RSA | {"kid": "x" * 5000},
        RSA | {"alg": ["RS256"]},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
    ],
)
def test_keys_that_cannot_verify_anything(key: Any) -> None:
    with pytest.raises(BadKeysError) as refusal:
        public_keys(text(key))
    assert refusal.value.reason == "no_usable_key"
    assert len(public_keys(text(key, EC)).keys) == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        (b"\xff", "not_json"),
        ("[" * 100_000, "not_json"),
        ("[]", "not_a_key_set"),
        ("{}", "not_a_key_set"),
        ('{"keys": {}}', "not_a_key_set"),
        ('{"keys": [1]}', "not_a_key_set"),
        (json.dumps(RSA), "not_a_key_set"),
        ('{"keys": []}', "no_usable_key"),
        (text(*[{}] * 101), "too_many_keys"),
    ],
)
def test_what_is_no_key_set(value: str | bytes, reason: str) -> None:
    with pytest.raises(BadKeysError) as refusal:
        public_keys(value)
    assert refusal.value.reason == reason
