"""E3 and G of the gateway's attacks: forged tokens of a registered issuer, and keys that lead inside.

Each is sent to the really started gateway. What is refused reaches no backend, and nothing is fetched for it.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.attacks.wire import authority, head, send
from tests.journeys import steps
from tests.journeys.server import Demo
from tests.proxy.issuers.idp import AUDIENCE, Idp, base64url, claims, idp, public, rsa, sign

PATH = "/api/v1/forged/a"


@dataclass(frozen=True)
class Field:
    """A gateway with a backend for the tokens of `issuer`; `trap` is a server that an attacker names in tokens."""

    demo: Demo
    manage: httpx.Client
    issuer: Idp
    trap: Idp

    def call(self, token: str) -> httpx.Response:
        """A call with a token."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{self.demo.issuer}{PATH}", headers=headers, timeout=20)


@pytest.fixture(scope="module")
def field(demo: Demo) -> Iterator[Field]:
    """The backend, the issuer and the trap."""
    staff = demo.facts["staff"]
    credentials = (staff["username"], staff["password"])
    with (
        idp() as issuer,
        idp() as trap,
        httpx.Client(base_url=f"{demo.issuer}/api/manage/v1/", auth=credentials, timeout=20) as manage,
    ):
        upstream = demo.facts["backends"]["echo"]["upstream"]
        for path, body in (
            ("backends/", {"name": "forged", "upstream_url": upstream, "auth_mode": "issuer", "allow_private": True}),
            ("operations/", {"backend": "forged", "method": "GET", "path": "/**", "scopes": ["tool:read"]}),
            ("issuers/", {"name": "victim", "issuer": issuer.issuer, "audience": AUDIENCE, "jwks_url": issuer.jwks_url,
                          "algorithms": ["RS256", "ES256"], "allow_private": True}),
        ):  # fmt: skip
            assert manage.post(path, json=body).status_code == 201
        found = Field(demo, manage, issuer, trap)
        # A forged token is told from a good one only where a good one opens something
        assert found.call(issuer.token(scope="tool:read")).status_code == 200
        yield found


def forged(field: Field, header: dict[str, Any], *, key: Any = None, **changes: Any) -> str:
    """A token with that header, signed by a stranger unless told otherwise, whatever the header says."""
    signer = key or STRANGER
    whole = {"alg": "RS256", "kid": "k1", "typ": "at+jwt"} | header
    made = claims(field.issuer.issuer, scope="tool:read", **changes)
    return sign(signer, whole, made, algorithm="" if isinstance(signer, bytes) else "RS256")


def unsigned(field: Field, algorithm: str) -> str:
    """A token without a signature."""
    return f"{forged(field, {'alg': algorithm}).rpartition('.')[0]}."


def keyed_with_the_public_key(field: Field) -> str:
    """HS256, with what everybody may read as its secret."""
    return forged(field, {"alg": "HS256"}, key=field.issuer.keys[0].as_pem(private=False))


def jwe(field: Field) -> str:
    """Five parts."""
    header = {"alg": "dir", "enc": "A256GCM", "kid": "k1", "cty": "JWT"}
    return ".".join([base64url(json.dumps(header).encode()), "", "AAAA", base64url(b"{}"), "AAAA"])


STRANGER = rsa("k1")
FORGERIES: dict[str, Callable[[Field], str]] = {
    "signed by a stranger": lambda field: forged(field, {}),
    "expired": lambda field: field.issuer.token(scope="tool:read", exp=int(time.time()) - 1),
    "without an end": lambda field: field.issuer.token(scope="tool:read", exp=None),
    "for somebody else": lambda field: field.issuer.token(scope="tool:read", aud="https://other.example"),
    "of an issuer that is not registered": lambda field: field.trap.token(scope="tool:read"),
    "of another iss with a good key": lambda field: field.issuer.token(scope="tool:read", iss=field.trap.issuer),
    "alg none": lambda field: unsigned(field, "none"),
    "alg nOnE": lambda field: unsigned(field, "nOnE"),
    "alg RS256 and no signature": lambda field: unsigned(field, "RS256"),
    "HS256 with the public key": keyed_with_the_public_key,
    "an algorithm that is not pinned": lambda field: forged(field, {"alg": "PS256"}),
    "another kind of key": lambda field: forged(field, {"alg": "ES256"}),
    "kid a path": lambda field: forged(field, {"kid": "../../../../dev/null"}),
    "kid a URL": lambda field: forged(field, {"kid": field.trap.jwks_url}),
    "kid SQL": lambda field: forged(field, {"kid": "x' UNION SELECT 'AA'--"}),
    "kid a list": lambda field: forged(field, {"kid": ["k1"]}),
    "jku": lambda field: forged(field, {"jku": field.trap.jwks_url}),
    "x5u": lambda field: forged(field, {"x5u": field.trap.jwks_url}),
    "jwk": lambda field: forged(field, {"jwk": public(STRANGER)}),
    "x5c": lambda field: forged(field, {"x5c": ["MIIB"]}),
    "crit": lambda field: field.issuer.token(scope="tool:read", header={"crit": ["http://example"]}),
    "b64 false": lambda field: field.issuer.token(scope="tool:read", header={"b64": False, "crit": ["b64"]}),
    "an ID token": lambda field: field.issuer.token(scope="tool:read", at_hash="AAAA"),
    "typ of something else": lambda field: field.issuer.token(scope="tool:read", header={"typ": "logout+jwt"}),
    "a JWE": jwe,
    "nobody": lambda field: field.issuer.token(scope="tool:read", sub=None),
    "somebody with a line break": lambda field: field.issuer.token(scope="tool:read", sub="a\r\nX-User-Id: b"),
    "a local person": lambda field: field.issuer.token(scope="tool:read", sub="local:1"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_401_and_nothing_is_fetched_for_it(field: Field, name: str) -> None:
    fetched = len(field.issuer.requests)
    answer = field.call(FORGERIES[name](field))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token"), answer.text
    assert "resource_metadata=" in answer.headers["www-authenticate"]
    assert (len(field.issuer.requests), field.trap.requests) == (fetched, [])


def test_a_token_of_a_megabyte_is_refused_before_it_is_read(field: Field) -> None:
    lines = [f"Host: {authority(field.demo.issuer)}", f"Authorization: Bearer {'a' * 1_048_576}"]
    answers = send(field.demo.issuer, head("GET", PATH, *lines))
    assert not answers or answers[0].status in {400, 431}


def test_our_own_tokens_and_theirs_are_not_taken_for_each_other(field: Field, tokens: steps.Tokens) -> None:
    assert field.call(tokens.access).status_code == 401
    theirs = field.issuer.token(scope="tool:read", aud=f"{field.demo.issuer}/api/v1/echo")
    headers = {"Authorization": f"Bearer {theirs}"}
    assert httpx.get(f"{field.demo.issuer}/api/v1/echo/a", headers=headers, timeout=20).status_code == 401


def test_an_identity_that_a_backend_was_shown_opens_nothing(field: Field) -> None:
    """What the gateway signs for backends is a JWT with a good `sub`: it must not come back as a credential."""
    shown = field.call(field.issuer.token(scope="tool:read")).json()["headers"]["x-gateway-identity"]
    assert field.call(shown).status_code == 401


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/", "https://169.254.169.254/",
     "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://2130706433/", "https://0x7f.1/",
     "https://127.1/", "https://0177.0.0.1/", "https://a\\@b/", "https://a%2f@b/", "https://a#@b/", "https://u@b/",
     "https://b\t/", "https://b/../c", "ftp://b/", "file:///etc/passwd", "unix:/run/x"],
)  # fmt: skip
def test_keys_that_lead_inside_are_refused_when_they_are_typed(field: Field, url: str) -> None:
    body = {"name": "inside", "issuer": "https://inside.example", "audience": "a", "jwks_url": url}
    answer = field.manage.post("issuers/", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["jwks_url"])


def test_metadata_addresses_are_refused_even_for_internal_issuers(field: Field) -> None:
    body = {"name": "inside", "issuer": "https://inside.example", "audience": "a", "allow_private": True}
    for host in ("169.254.169.254", "[fd00:ec2::254]", "100.100.100.200"):
        answer = field.manage.post("issuers/", json=body | {"jwks_url": f"http://{host}/"})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["jwks_url"]), host
