"""Every check of an external token, and hostile tokens of every kind (RFC 7519, RFC 8725, RFC 9068)."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import OctKey

from oauth_provider.identities.known import KnownPerson
from proxy.catalogue.issuer_plan import IssuerPlan
from proxy.issuers.compact import MAX_TOKEN, read
from proxy.issuers.jwks import JwksFault, PublicKeys, parse_keys
from proxy.issuers.keeper import KeyKeeper
from proxy.issuers.refused import InvalidExternalToken
from proxy.issuers.verify import ExternalTokens, VerifiedExternal
from tests.proxy.issuers.idp import AUDIENCE, SUBJECT, Key, base64url, claims, ec, ed, public, rsa, sign

ISSUER = "https://clerk.example.com"
RSA, EC, ED, STRANGER = rsa("rsa"), ec("ec"), ed("ed"), rsa("rsa")
PLAN = IssuerPlan(
    name="clerk",
    issuer=ISSUER,
    audiences=frozenset({AUDIENCE, "second"}),
    jwks_url=f"{ISSUER}/jwks.json",
    algorithms=frozenset({"RS256", "ES256", "EdDSA"}),
)
KEYS = parse_keys(json.dumps({"keys": [public(key) for key in (RSA, EC, ED)]}).encode())
NAMES = {RSA.kid: "RS256", EC.kid: "ES256", ED.kid: "EdDSA"}


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    """Where signatures are computed."""
    with ThreadPoolExecutor(1) as threads:
        yield threads


def nobody(_external_id: str) -> None:
    """No account of that id."""


class Verifier:
    """Verifies against `plan`, counting the requests for keys."""

    def __init__(self, pool: ThreadPoolExecutor, plan: IssuerPlan = PLAN, find_person: Any = nobody) -> None:
        self.fetched = 0
        self._pool = pool
        self._plan = plan
        self._find_person = find_person

    def verified(self, token: str) -> VerifiedExternal:
        """What a good token says."""

        async def fetch(_issuer: IssuerPlan) -> PublicKeys:
            self.fetched += 1
            return KEYS

        async def run() -> VerifiedExternal:
            tokens = ExternalTokens(KeyKeeper(fetch), find_person=self._find_person)
            return await tokens.verify(token, {self._plan.issuer: self._plan}, pool=self._pool)

        return asyncio.run(run())

    def refused(self, token: str) -> str:
        """Why a bad one opens nothing."""
        with pytest.raises(InvalidExternalToken) as refusal:
            self.verified(token)
        return refusal.value.reason


@pytest.fixture
def verifier(pool: ThreadPoolExecutor) -> Verifier:
    """Of the issuer above."""
    return Verifier(pool)


def token(key: Key = RSA, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A good token, changed."""
    whole = {"alg": NAMES[key.kid], "typ": "JWT", "kid": key.kid} | (header or {})
    return sign(key, {n: v for n, v in whole.items() if v is not None}, claims(ISSUER, **changes))


@pytest.mark.parametrize("key", [RSA, EC, ED], ids=["RS256", "ES256", "EdDSA"])
def test_each_pinned_algorithm(verifier: Verifier, key: Key) -> None:
    found = verifier.verified(token(key))
    assert (found.user.external_id, found.audiences) == (SUBJECT, (AUDIENCE,))
    assert found.subject.client == "https://app.example.com"
    assert found.subject.scopes == {"openid", "jobs:read"}
    assert found.user.user_id < 0


@pytest.mark.parametrize("kind", [None, "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_types_of_an_access_token(verifier: Verifier, kind: str | None) -> None:
    verifier.verified(token(header={"typ": kind}))


@pytest.mark.parametrize(
    ("header", "changes", "reason"),
    [
        ({"typ": "id_token+jwt"}, {}, "token_type"),
        ({"typ": "gateway-identity+jwt"}, {}, "token_type"),
        ({"typ": "logout+jwt"}, {}, "token_type"),
        ({"typ": "dpop+jwt"}, {}, "token_type"),
        ({"typ": ["JWT"]}, {}, "token_type"),
        ({"typ": ""}, {}, "token_type"),
        ({}, {"at_hash": "x"}, "token_type"),
        ({}, {"typ": "ID"}, "token_type"),
        ({}, {"typ": "Refresh"}, "token_type"),
        ({"crit": ["exp"], "exp": 1}, {}, "header_parameter"),
        ({"crit": []}, {}, "header_parameter"),
        ({"b64": False}, {}, "header_parameter"),
        ({"jku": "http://127.0.0.1:1/"}, {}, "header_parameter"),
        ({"x5u": "http://127.0.0.1:1/"}, {}, "header_parameter"),
        ({"x5c": ["AAAA"]}, {}, "header_parameter"),
        ({"jwk": public(STRANGER)}, {}, "header_parameter"),
        ({"zip": "DEF"}, {}, "header_parameter"),
        ({"kid": 1}, {}, "header_parameter"),
        ({"kid": "../../../../dev/null"}, {}, "unknown_key"),
        ({"kid": "' OR 1=1 --"}, {}, "unknown_key"),
        ({"kid": "http://127.0.0.1:1/key"}, {}, "unknown_key"),
        ({"kid": ""}, {}, "unknown_key"),
        ({"kid": "ec"}, {}, "unknown_key"),
        ({"alg": "ES256"}, {}, "unknown_key"),
        ({"alg": "ES256", "kid": "ec"}, {}, "bad_signature"),
        ({"alg": "EdDSA", "kid": "ed"}, {}, "bad_signature"),
        ({"alg": "RS384"}, {}, "algorithm_refused"),
        ({"alg": "rs256"}, {}, "algorithm_refused"),
        ({"alg": "Ed25519"}, {}, "algorithm_refused"),
        ({"alg": None}, {}, "algorithm_refused"),
        ({"alg": ["RS256"]}, {}, "algorithm_refused"),
        ({}, {"iss": f"{ISSUER}/"}, "unknown_issuer"),
        ({}, {"iss": ISSUER.upper()}, "unknown_issuer"),
        ({}, {"iss": [ISSUER]}, "unknown_issuer"),
        ({}, {"iss": None}, "unknown_issuer"),
        ({}, {"exp": None}, "no_expiry"),
        ({}, {"exp": 1}, "expired"),
        ({}, {"exp": -1}, "expired"),
        ({}, {"exp": "4000000000"}, "claim_malformed"),
        ({}, {"exp": True}, "claim_malformed"),
        ({}, {"exp": [4_000_000_000]}, "claim_malformed"),
        ({}, {"exp": 10**400}, "claim_malformed"),
        ({}, {"nbf": time.time() + 3600}, "not_yet_valid"),
        ({}, {"iat": time.time() + 3600}, "not_yet_valid"),
        ({}, {"nbf": "soon"}, "claim_malformed"),
        ({}, {"iat": {}}, "claim_malformed"),
        ({}, {"aud": 7}, "claim_malformed"),
        ({}, {"aud": [AUDIENCE, 7]}, "claim_malformed"),
        ({}, {"aud": {AUDIENCE: 1}}, "claim_malformed"),
        ({}, {"sub": None}, "no_subject"),
        ({}, {"sub": ""}, "no_subject"),
        ({}, {"sub": 7}, "no_subject"),
        ({}, {"sub": "a b"}, "no_subject"),
        ({}, {"sub": "a\r\nx-user-id: evil"}, "no_subject"),
        ({}, {"sub": "josé"}, "no_subject"),
        ({}, {"sub": "a\x00"}, "no_subject"),
        ({}, {"sub": "a" * 201}, "no_subject"),
        ({}, {"sub": "local:1"}, "no_subject"),
        ({}, {"scope": 7}, "claim_malformed"),
        ({}, {"scope": ["a", 7]}, "claim_malformed"),
        ({}, {"azp": ["a"]}, "claim_malformed"),
        ({}, {"azp": "a\nb"}, "claim_malformed"),
    ],
)
def test_what_does_not_hold_is_refused(
    verifier: Verifier, header: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    whole = {"alg": "RS256", "typ": "JWT", "kid": "rsa"} | header
    made = sign(RSA, {n: v for n, v in whole.items() if v is not None}, claims(ISSUER, **changes), algorithm="RS256")
    assert verifier.refused(made) == reason


@pytest.mark.parametrize("skew", [-50, 0, 50])
def test_clocks_may_be_a_minute_apart(verifier: Verifier, skew: int) -> None:
    now = time.time()
    verifier.verified(token(iat=now + skew, nbf=now + skew, exp=now + 100))


def test_a_key_it_does_not_name_is_the_only_one_there_is(verifier: Verifier) -> None:
    verifier.verified(token(header={"kid": None}))


def test_another_key_of_the_same_name_verifies_nothing(verifier: Verifier) -> None:
    assert verifier.refused(token(STRANGER)) == "bad_signature"


def test_a_public_key_is_no_secret(verifier: Verifier) -> None:
    """The oldest confusion: HS256, keyed with what everybody may read (RFC 8725 section 2.1)."""
    for secret in (RSA.as_pem(private=False), json.dumps(public(RSA)).encode()):
        header = {"alg": "HS256", "typ": "JWT", "kid": "rsa"}
        made = sign(secret, header, claims(ISSUER))
        assert verifier.refused(made) == "algorithm_refused"
        relabelled = made.replace(made.partition(".")[0], base64url(json.dumps(header | {"alg": "RS256"}).encode()))
        assert verifier.refused(relabelled) == "bad_signature"


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_no_signature_is_none(verifier: Verifier, name: str) -> None:
    made = sign(RSA, {"alg": name, "kid": "rsa"}, claims(ISSUER), algorithm="RS256")
    header, body, signature = made.split(".")
    assert verifier.refused(f"{header}.{body}.") == "malformed"
    assert verifier.refused(f"{header}.{body}") == "malformed"
    assert verifier.refused(f"{header}.{body}.{signature}") == "algorithm_refused"


@pytest.mark.parametrize("payload", [b"[]", b"1", b"null", b"{", b"\xff", b'{"iss":1,"iss":2}', b'{"exp":NaN}',
                                     b"[" * 100_000, b'{"a":' * 1000, b'{"exp":' + b"9" * 5000 + b"}"],
                         ids=range(10))  # fmt: skip
def test_claims_that_are_no_plain_json_object(verifier: Verifier, payload: bytes) -> None:
    assert verifier.refused(sign(RSA, {"alg": "RS256", "kid": "rsa"}, payload)) == "malformed"


def test_shapes_that_are_no_compact_jws(verifier: Verifier) -> None:
    good = token()
    header, body, signature = good.split(".")
    jwe = ".".join([base64url(b'{"alg":"RSA-OAEP","enc":"A256GCM"}'), "a", "b", "c", "d"])
    json_form = json.dumps({"payload": body, "signatures": [{"protected": header, "signature": signature}]})
    for bad in ("", ".", "..", "a.b.c", jwe, json_form, f"{good}.", f"{good}=", f" {good}", f"{good}\n", good[:-1],
                "e" * (MAX_TOKEN + 1), f"{header}.{body}.{signature}A"):  # fmt: skip
        assert verifier.refused(bad) in {"malformed", "bad_signature"}
    assert verifier.refused(token(padding="x" * MAX_TOKEN)) == "malformed"


def test_one_signature_has_one_spelling(verifier: Verifier) -> None:
    """The unused bits of the last character would make the same token many, each remembered apart."""
    made = token(EC)
    head, last = made[:-1], made[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twins = [head + other for other in alphabet if other != last]
    assert {verifier.refused(twin) for twin in twins} <= {"malformed", "bad_signature"}


def test_what_is_refused_on_sight_makes_nobody_fetch(verifier: Verifier) -> None:
    for bad in (token(exp=1), token(iss="https://evil.example"), token(header={"jku": "https://evil.example"}),
                sign(RSA, {"alg": "RS384", "kid": "x"}, claims(ISSUER))):  # fmt: skip
        verifier.refused(bad)
    assert verifier.fetched == 0


def test_the_mapping_says_where_everything_stands(pool: ThreadPoolExecutor) -> None:
    mapping = {"user": "https://example.com/uid", "client": "appid", "tenant": "o.id", "roles": "realm_access.roles",
               "scopes": "permissions"}  # fmt: skip
    plan = IssuerPlan(**{name: getattr(PLAN, name) for name in PLAN.__slots__} | {"claims": mapping})
    said: dict[str, Any] = {
        "https://example.com/uid": "u7",
        "appid": "a1",
        "o": {"id": "org"},
        "scope": "ignored",
        "realm_access": {"roles": ["b", "a", "a"]},
        "permissions": ["jobs:read", "jobs:write"],
    }
    found = Verifier(pool, plan).verified(token(**said))
    subject = found.subject
    assert (found.user.external_id, subject.client, subject.tenant, subject.roles) == ("u7", "a1", "org", ("a", "b"))
    assert subject.scopes == {"jobs:read", "jobs:write"}
    assert Verifier(pool, plan).refused(token()) == "no_subject"


def test_two_issuers_users_of_one_name_are_two(pool: ThreadPoolExecutor) -> None:
    other = IssuerPlan(
        name="other", issuer="https://other.example", audiences=PLAN.audiences, jwks_url="", algorithms=PLAN.algorithms
    )
    mine, theirs = Verifier(pool).verified(token()), Verifier(pool, other).verified(token(iss=other.issuer))
    assert mine.user.external_id == theirs.user.external_id
    assert mine.user.user_id != theirs.user.user_id
    assert mine.user == Verifier(pool).verified(token()).user


def test_a_local_person_is_the_same_person_and_may_be_switched_off(pool: ThreadPoolExecutor) -> None:
    def known(external_id: str, *, is_active: bool = True) -> KnownPerson | None:
        return KnownPerson(user_id=7, is_active=is_active) if external_id == SUBJECT else None

    assert Verifier(pool, find_person=known).verified(token()).user.user_id == 7
    off = Verifier(pool, find_person=lambda name: known(name, is_active=False))
    assert off.refused(token()) == "inactive_user"


def test_a_lost_database_vouches_for_nobody(pool: ThreadPoolExecutor) -> None:
    def lost(_external_id: str) -> None:
        raise DatabaseError

    with pytest.raises(DatabaseError):
        Verifier(pool, find_person=lost).verified(token())


PARTS = st.sampled_from([0, 1, 2])
TEXT = st.text(max_size=20) | st.sampled_from(["none", "HS256", "RS256", "\0", "../x", "é"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
NAMED = st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat", "scope", "azp", "typ", "alg", "kid", "crit", "jwk"])


@settings(max_examples=300)
@given(place=st.integers(0, 700), character=st.characters(), cut=st.booleans())
def test_a_token_with_any_character_changed_opens_nothing(
    verifier: Verifier, place: int, character: str, cut: bool
) -> None:
    good = GOOD
    place %= len(good)
    changed = good[:place] + ("" if cut else character) + good[place + 1 :]
    if changed != good:
        verifier.refused(changed)


@settings(max_examples=100)
@given(header=st.dictionaries(NAMED | TEXT, JSON, max_size=4), body=st.dictionaries(NAMED | TEXT, JSON, max_size=4))
def test_a_stranger_may_write_whatever_into_a_token(
    verifier: Verifier, header: dict[str, Any], body: dict[str, Any]
) -> None:
    whole = {"alg": "RS256", "kid": "rsa"} | header
    verifier.refused(sign(STRANGER, whole, claims(ISSUER) | body, algorithm="RS256"))


@settings(max_examples=80)
@given(body=st.dictionaries(NAMED, JSON, min_size=1, max_size=4))
def test_what_the_issuer_itself_signs_is_taken_or_refused_and_never_breaks(
    verifier: Verifier, body: dict[str, Any]
) -> None:
    made = sign(RSA, {"alg": "RS256", "kid": "rsa"}, claims(ISSUER) | body)
    try:
        found = verifier.verified(made)
    except InvalidExternalToken:
        return
    assert found.user.external_id.isprintable()
    assert " " not in found.user.external_id


GOOD = token(exp=4_000_000_000)


# The keys


def test_only_public_keys_of_ours_are_taken() -> None:
    entries = [
        public(RSA), public(EC, use="sig", alg="ES256"), public(ED, alg="Ed25519"), public(rsa("enc"), use="enc"),
        public(rsa("ps"), alg="PS256"), {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}, {"kty": "RSA"}, {},
        {"kty": ["RSA"]},
    ]  # fmt: skip
    found = parse_keys(json.dumps({"keys": entries}).encode())
    assert [(key.kid, key.algorithm) for key in found.keys] == [("rsa", "RS256"), ("ec", "ES256"), ("ed", "EdDSA")]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[]}', b'{"keys":[1]}', b"\xff", b"[" * 100_000, b'{"keys":null}',
     json.dumps({"keys": [OctKey.generate_key(256).as_dict()]}).encode(),
     json.dumps({"keys": [RSA.as_dict(private=True)]}).encode()],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_list_of_public_keys(body: bytes) -> None:
    with pytest.raises(JwksFault):
        parse_keys(body)


def test_a_token_says_nothing_of_itself_in_the_ledger(verifier: Verifier) -> None:
    made = token()
    found = verifier.verified(made)
    assert found.fingerprint == hashlib.sha256(made.encode()).hexdigest()[:16]
    assert made not in repr(found)
    assert base64.urlsafe_b64encode(read(made).signature).decode().rstrip("=") in made
