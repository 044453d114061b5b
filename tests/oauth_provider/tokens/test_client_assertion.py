"""`private_key_jwt`: a client proves itself with a signature, once (RFC 7523)."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from joserfc.jwk import ECKey

from audit.ledger.models import Event
from oauth_provider.clients.models import Client, Preset
from oauth_provider.clients.secrets import create_secret
from oauth_provider.clients.suspend import suspend_client
from oauth_provider.tokens.models import UsedAssertion
from tests.agreed import World
from tests.assertions import ASSERTION_TYPE, Signer, made_key, sign
from tests.at_once import at_once
from tests.internet import Internet

Worlds = Callable[..., World]
Changes = dict[str, Any]


@pytest.fixture(params=["RS256", "ES256"])
def signer(request: pytest.FixtureRequest) -> Signer:
    return Signer(algorithm=request.param)


@pytest.fixture
def one_signer() -> Signer:
    return Signer(algorithm="ES256")


def world_of(make_world: Worlds, signer: Signer, **changes: Any) -> World:
    world = make_world(**signer.fields(**changes))
    world.secret = ""
    signer.client_id = world.client.client_id
    return world


def reason() -> str:
    return Event.objects.filter(kind="oauth:token:refused").latest("timestamp").reason


def test_d10_a_signature_is_a_proof_everywhere(make_world: Worlds, signer: Signer) -> None:
    world = world_of(make_world, signer)
    pair = world.redeem(world.code(), client_id=None, **signer.proof()).json()
    again = world.refresh(pair["refresh_token"], **signer.proof()).json()
    assert world.post("/oauth/revoke", token=again["access_token"], **signer.proof()).status_code == 200
    world.client.introspects.add(world.connection.resource)
    told = world.post("/oauth/introspect", token=again["access_token"], client_id=None, **signer.proof())
    assert told.json() == {"active": False}
    assert Event.objects.filter(kind="oauth:token:refused").count() == 0


@pytest.mark.parametrize(
    "audience", [settings.PUBLIC_BASE_URL, f"{settings.PUBLIC_BASE_URL}/oauth/token", [settings.PUBLIC_BASE_URL]]
)
@pytest.mark.parametrize("header", [{}, {"kid": None}, {"typ": None}, {"typ": "client-authentication+jwt"}])
def test_both_names_of_this_server_and_every_honest_header(
    make_world: Worlds, one_signer: Signer, audience: str | list[str], header: Changes
) -> None:
    world = world_of(make_world, one_signer)
    assert world.redeem(world.code(), **one_signer.proof(aud=audience, header=header)).status_code == 200


def test_a_service_gets_a_token_of_its_own(make_world: Worlds, one_signer: Signer) -> None:
    world = world_of(
        make_world, one_signer, preset=Preset.SERVICE, authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS
    )
    assert world.token(grant_type="client_credentials", **one_signer.proof()).status_code == 200
    assert world.token(grant_type="client_credentials").status_code == 401


@pytest.mark.parametrize("skew", [-59, 59])
def test_z04_clocks_may_differ_by_a_minute(make_world: Worlds, one_signer: Signer, skew: int) -> None:
    world, now = world_of(make_world, one_signer), int(time.time()) + skew
    proof = one_signer.proof(iat=now, nbf=now, exp=now + 300)
    assert world.redeem(world.code(), **proof).status_code == 200


def in_s(seconds: int) -> Callable[[], int]:
    """That many seconds after the test begins, which may be long after it is collected."""
    return lambda: int(time.time()) + seconds


WRONG: dict[str, tuple[Changes, str]] = {
    "another audience": ({"aud": "https://other.example"}, "assertion_audience"),
    "our data plane": ({"aud": f"{settings.PUBLIC_BASE_URL}/mcp"}, "assertion_audience"),
    "a slash more": ({"aud": f"{settings.PUBLIC_BASE_URL}/"}, "assertion_audience"),
    "two audiences": ({"aud": [settings.PUBLIC_BASE_URL, "https://other.example"]}, "assertion_audience"),
    "an object as audience": ({"aud": {"a": 1}}, "assertion_audience"),
    "no audience": ({"aud": None}, "assertion_audience"),
    "an empty list": ({"aud": []}, "assertion_audience"),
    "another issuer": ({"iss": "somebody"}, "assertion_subject"),
    "no issuer": ({"iss": None}, "assertion_subject"),
    "no subject": ({"sub": None}, "assertion_subject"),
    "a number as subject": ({"sub": 5, "iss": 5}, "assertion_subject"),
    "no end": ({"exp": None}, "assertion_exp"),
    "a text as end": ({"exp": "2099-01-01"}, "assertion_exp"),
    "true as end": ({"exp": True}, "assertion_exp"),
    "infinite": ({"exp": float("inf")}, "malformed_assertion"),
    "not a number": ({"exp": float("nan")}, "malformed_assertion"),
    "as good as infinite": ({"exp": 1e300}, "assertion_exp"),
    "an end nobody lives to see": ({"exp": 10**18}, "assertion_exp"),
    "ended": ({"exp": in_s(-1)}, "assertion_expired"),
    "good for an hour": ({"exp": in_s(3600)}, "assertion_too_long"),
    "of the future": ({"iat": in_s(120)}, "assertion_too_early"),
    "not yet": ({"nbf": in_s(120)}, "assertion_too_early"),
    "a text as beginning": ({"iat": "now"}, "assertion_iat"),
    "no jti": ({"jti": None}, "assertion_without_jti"),
    "an empty jti": ({"jti": ""}, "assertion_without_jti"),
    "a number as jti": ({"jti": 7}, "assertion_without_jti"),
    "a NUL in jti": ({"jti": "a\x00"}, "assertion_without_jti"),
    "half a character in jti": ({"jti": "\ud800"}, "assertion_without_jti"),
    "a long jti": ({"jti": "x" * 256}, "assertion_without_jti"),
    "an access token": ({"header": {"typ": "at+jwt"}}, "assertion_type"),
    "a number as type": ({"header": {"typ": 5}}, "assertion_type"),
    "a key nobody published": ({"header": {"kid": "2"}}, "assertion_key"),
    "a number as key id": ({"header": {"kid": 1}}, "malformed_assertion"),
    "critical": ({"header": {"crit": ["exp"]}}, "malformed_assertion"),
}


@pytest.mark.parametrize(("changes", "expected"), WRONG.values(), ids=WRONG.keys())
def test_d12_an_assertion_that_says_something_else_proves_nothing(
    make_world: Worlds, one_signer: Signer, changes: Changes, expected: str
) -> None:
    world = world_of(make_world, one_signer)
    claims = {name: value() if callable(value) else value for name, value in changes.items()}
    answer = world.redeem(world.code(), **one_signer.proof(**claims))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.json()["error_description"] == "Client authentication failed."
    assert reason() == expected
    assert not UsedAssertion.objects.exists()


def unsigned(signer: Signer, algorithm: str) -> str:
    parts = [{"alg": algorithm, "kid": signer.kid}, signer.claims()]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join(encoded)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", "HS256"])
def test_d11_without_a_signature(make_world: Worlds, signer: Signer, algorithm: str) -> None:
    world = world_of(make_world, signer)
    for text in (f"{unsigned(signer, algorithm)}.", f"{unsigned(signer, algorithm)}.AA"):
        answer = world.redeem(world.code(), client_assertion=text, client_assertion_type=ASSERTION_TYPE)
        assert answer.status_code == 401
        assert reason() in {"malformed_assertion", "assertion_algorithm"}


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_d11_signed_with_the_public_key_as_a_shared_secret(make_world: Worlds, signer: Signer, algorithm: str) -> None:
    world = world_of(make_world, signer)
    hashing = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
    for secret in (signer.key.as_pem(private=False), json.dumps(signer.key_set["keys"][0]).encode()):
        text = unsigned(signer, algorithm)
        signature = base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), hashing)).rstrip(b"=").decode()
        answer = world.redeem(
            world.code(), client_assertion=f"{text}.{signature}", client_assertion_type=ASSERTION_TYPE
        )
        assert (answer.status_code, reason()) == (401, "assertion_algorithm")


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "ES384", "EdDSA"])
def test_other_algorithms_are_not_accepted(make_world: Worlds, signer: Signer, algorithm: str) -> None:
    world = world_of(make_world, signer)
    text = f"{unsigned(signer, algorithm)}.AAAA"
    answer = world.redeem(world.code(), client_assertion=text, client_assertion_type=ASSERTION_TYPE)
    assert (answer.status_code, reason()) == (401, "assertion_algorithm")


@pytest.mark.parametrize(("own", "claimed"), [("RS256", "ES256"), ("ES256", "RS256")])
def test_the_algorithm_is_the_keys_and_not_the_assertions(make_world: Worlds, own: str, claimed: str) -> None:
    signer = Signer(algorithm=own)
    world = world_of(make_world, signer)
    text = f"{unsigned(signer, claimed)}.AAAA"
    answer = world.redeem(world.code(), client_assertion=text, client_assertion_type=ASSERTION_TYPE)
    assert (answer.status_code, reason()) == (401, "assertion_key")


def test_a_key_for_another_algorithm_or_curve_or_use_does_not_verify(make_world: Worlds) -> None:
    signer = Signer(algorithm="RS256")
    world = world_of(make_world, signer)
    published = dict(signer.key.as_dict(private=False))
    world.client.jwks = json.dumps({"keys": [published | {"alg": "PS256"}]})
    world.client.save()
    assert (world.redeem(world.code(), **signer.proof()).status_code, reason()) == (401, "assertion_key")
    curve = ECKey.generate_key("P-384", {"kid": "1"})
    world.client.jwks = json.dumps({"keys": [dict(curve.as_dict(private=False))]})
    world.client.save()
    text = f"{unsigned(signer, 'ES256')}.AAAA"
    answer = world.redeem(world.code(), client_assertion=text, client_assertion_type=ASSERTION_TYPE)
    assert (answer.status_code, reason()) == (401, "assertion_key")


def test_another_key_signs_for_nobody(make_world: Worlds, signer: Signer) -> None:
    world = world_of(make_world, signer)
    thief = Signer(client_id=world.client.client_id, algorithm=signer.algorithm, holder="thief")
    for header in ({}, {"kid": None}):
        answer = world.redeem(world.code(), **thief.proof(header=header))
        assert (answer.status_code, reason()) == (401, "assertion_signature")


def test_d13_keys_that_the_header_brings_or_points_at_are_not_looked_at(make_world: Worlds, internet: Internet) -> None:
    signer = Signer(algorithm="RS256")
    world = world_of(make_world, signer)
    thief = made_key("RS256", "1", "thief")
    for name, value in {
        "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example/x5u",
        "jwk": dict(thief.as_dict(private=False)),
        "x5c": ["AAAA"],
    }.items():
        text = sign({"alg": "RS256", "kid": "1", name: value}, json.dumps(signer.claims()).encode(), thief)
        answer = world.redeem(world.code(), client_assertion=text, client_assertion_type=ASSERTION_TYPE)
        assert (answer.status_code, reason()) == (401, "assertion_signature")
    assert (internet.resolved, internet.connected) == ([], [])


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


MALFORMED = {
    "nothing": "",
    "no token": "abc",
    "two parts": "a.b",
    "four parts": "a.b.c.d",
    "an encrypted one": "a.b.c.d.e",
    "not base64": "!.!.!",
    "empty parts": "..",
    "text in the header": f"{encoded('hello')}.e30.AA",
    "a list as header": "W10.e30.AA",
    "a list as claims": "eyJhbGciOiJSUzI1NiJ9.W10.AA",
    "bytes as claims": "eyJhbGciOiJSUzI1NiJ9._w.AA",
    "deep": f"eyJhbGciOiJSUzI1NiJ9.{encoded('[' * 5000)}.AA",
    "a name twice": encoded('{"alg":"none","alg":"RS256"}') + ".e30.AA",
    "a digit too many": f"eyJhbGciOiJSUzI1NiJ9.{encoded('1' * 5000)}.AA",
    "long": "a." * 2 + "a" * 9000,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_assertion_is_refused(world: World, text: str) -> None:
    answer = world.redeem(world.code(), client_secret=None, client_assertion_type=ASSERTION_TYPE, client_assertion=text)
    assert answer.status_code == 401
    assert reason() == "malformed_assertion"


@pytest.mark.parametrize("kind", [None, "", "jwt-bearer", ASSERTION_TYPE.upper(), ASSERTION_TYPE + " "])
def test_the_type_is_the_one_there_is(make_world: Worlds, one_signer: Signer, kind: str | None) -> None:
    world = world_of(make_world, one_signer)
    answer = world.redeem(world.code(), **(one_signer.proof() | {"client_assertion_type": kind}))
    assert (answer.status_code, reason()) == (401, "assertion_type")


def test_a_client_id_beside_it_must_be_the_signers(make_world: Worlds, one_signer: Signer, public: World) -> None:
    world = world_of(make_world, one_signer)
    answer = world.redeem(world.code(), **one_signer.proof(), client_id=public.client.client_id)
    assert (answer.status_code, reason()) == (401, "assertion_subject")


def test_d04_never_beside_another_proof(make_world: Worlds, one_signer: Signer) -> None:
    world = world_of(make_world, one_signer)
    create_secret(client=world.client, actor=None)
    answer = world.redeem(world.code(), **one_signer.proof(), client_secret="x")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    form = {"grant_type": "refresh_token", "refresh_token": "x", **one_signer.proof()}
    answer = world.browser.post("/oauth/token", form, headers={"authorization": "Basic YTpi"})
    assert answer.status_code in (400, 415)


def test_a_client_with_a_key_has_no_other_proof(make_world: Worlds, one_signer: Signer) -> None:
    world = world_of(make_world, one_signer)
    secret = create_secret(client=world.client, actor=None)
    for proof in ({}, {"client_secret": secret}):
        answer = world.redeem(world.code(), **proof)
        assert (answer.status_code, reason()) == (401, "assertion_required")


def test_an_assertion_works_once_even_when_its_request_was_refused(make_world: Worlds, one_signer: Signer) -> None:
    world = world_of(make_world, one_signer)
    proof = one_signer.proof()
    assert world.refresh("gh_rt_unknown", **proof).json()["error"] == "invalid_grant"
    answer = world.redeem(world.code(), **proof)
    assert (answer.status_code, answer.json()["error"], reason()) == (401, "invalid_client", "assertion_replayed")


def test_one_jti_is_one_clients(make_world: Worlds, one_signer: Signer) -> None:
    world, other = world_of(make_world, one_signer), Signer(algorithm="ES256")
    another = world_of(make_world, other)
    assert world.redeem(world.code(), **one_signer.proof(jti="1")).status_code == 200
    assert another.redeem(another.code(), **other.proof(jti="1")).status_code == 200


def test_used_assertions_are_forgotten_when_they_have_ended(make_world: Worlds, one_signer: Signer) -> None:
    world = world_of(make_world, one_signer)
    world.redeem(world.code(), **one_signer.proof())
    call_command("cleanup_tokens", "--json")
    assert UsedAssertion.objects.count() == 1
    UsedAssertion.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    call_command("cleanup_tokens", "--json")
    assert UsedAssertion.objects.count() == 0


def test_a_suspended_client_signs_in_vain(make_world: Worlds, one_signer: Signer) -> None:
    world = world_of(make_world, one_signer)
    suspend_client(client=world.client, actor=None, reason="test")
    answer = world.redeem(world.code(), **one_signer.proof())
    assert (answer.status_code, reason()) == (401, "suspended_client")


@pytest.mark.parametrize("who", ["a client without keys", "nobody"])
def test_whoever_has_no_keys_here(world: World, one_signer: Signer, who: str) -> None:
    one_signer.client_id = "nobody" if who == "nobody" else world.client.client_id
    answer = world.redeem(world.code(), client_id=None, client_secret=None, **one_signer.proof())
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert reason() == ("unknown_client" if who == "nobody" else "client_without_keys")


def test_keys_by_address(make_world: Worlds, one_signer: Signer, internet: Internet) -> None:
    published = [one_signer.key_set]
    internet.host("app.example", lambda visit: visit.answer(json.dumps(published[0]).encode()))
    world = world_of(make_world, one_signer, jwks="", jwks_uri="https://app.example/jwks.json")
    for _time in range(3):
        assert world.redeem(world.code(), **one_signer.proof()).status_code == 200
    assert len(internet.visits) == 1
    thief = Signer(client_id=world.client.client_id, algorithm="ES256", kid="thief")
    assert world.redeem(world.code(), **thief.proof()).status_code == 401
    assert len(internet.visits) == 1, "an invented key id makes nobody ask again at once"


def test_keys_that_cannot_be_had(make_world: Worlds, one_signer: Signer, internet: Internet) -> None:
    world = world_of(make_world, one_signer, jwks="", jwks_uri="https://inside.example/jwks.json")
    internet.leads("inside.example", ["169.254.169.254"])
    answer = world.redeem(world.code(), **one_signer.proof())
    assert (answer.status_code, reason()) == (401, "client_keys_unavailable")
    assert internet.connected == []


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_is_a_replay(make_world: Worlds, one_signer: Signer) -> None:
    world = world_of(make_world, one_signer)
    proof = one_signer.proof()
    answers = at_once([lambda: world.refresh("gh_rt_unknown", **proof).json()["error"]] * 4)
    assert sorted(answers) == ["invalid_client"] * 3 + ["invalid_grant"]
