"""The programs of docs/guides/backends.md, taken from the page and run: what they believe, and what they do not."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from oauth_provider.keys.signing import LoadedKey
from proxy.upstream.assertion import Claims, Signer
from tests.environment import NODE_MODULES, node
from tests.small_server import answering

GUIDE = (Path(__file__).parents[2] / "docs/guides/backends.md").read_text(encoding="utf-8")
NAME, URL, BODY = "jobs", "https://jobs.internal/api/v2/applications", '{"job": 7}'
LARGE = "x" * 65_537


def program(language: str) -> str:
    """The one program of the page in that language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    return str(found)


@dataclass(frozen=True)
class Case:
    """What a backend is given, and what it must say."""

    name: str
    assertion: str
    method: str = "POST"
    url: str = URL
    body: str = BODY
    subject: str = ""


class Keys(BaseHTTPRequestHandler):
    """Publishes one key as the gateway does."""

    document: dict[str, Any]

    def do_GET(self) -> None:
        """The key set, at its place only."""
        self.send_response(200 if self.path == "/.well-known/jwks.json" else 404)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(self.document).encode())


@dataclass(frozen=True)
class Gateway:
    """Who signs, at the address where the keys are."""

    issuer: str
    key: LoadedKey

    def signed(self, **changes: Any) -> str:
        """A real assertion."""
        claims = Claims(
            audience=NAME,
            subject="user_2abc",
            client_id="client-1",
            scope="applications:write",
            request_id="01890a5d-ac96-774b-bcce-b302099a8057",
            method="POST",
            url=URL,
            body_digest=digest(BODY),
        )
        return Signer(issuer=self.issuer, key=self.key).sign(replace(claims, **changes))

    def forged(
        self, *, head: dict[str, Any] | None = None, key: ec.EllipticCurvePrivateKey | None = None, **changes: Any
    ) -> str:
        """The same, altered and signed again."""
        claims = jwt.decode(self.signed(), ECKey.import_key(self.key.private), algorithms=["ES256"]).claims
        known = {"alg": "ES256", "typ": "gateway-identity+jwt", "kid": self.key.kid} | (head or {})
        kept = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(known, kept, ECKey.import_key(key or self.key.private), algorithms=["ES256"])


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Its keys are served on the loopback."""
    key = LoadedKey(kid="k1", private=ec.generate_private_key(ec.SECP256R1()), signs_from=0.0)
    public = ECKey.import_key(key.private.public_key()).as_dict(private=False)
    Keys.document = {"keys": [public | {"kid": "k1", "use": "sig", "alg": "ES256"}]}
    with answering(Keys) as server:
        yield Gateway(f"http://127.0.0.1:{server.server_port}", key)


@pytest.fixture(scope="module")
def cases(gateway: Gateway) -> list[Case]:
    """Good ones with the subject that must be found, then forged ones with none."""
    now, stranger = int(time.time()), ec.generate_private_key(ec.SECP256R1())
    good = gateway.signed()
    head, payload, signature = good.split(".")
    secret = json.dumps(Keys.document["keys"][0])
    claims = {"iss": gateway.issuer, "aud": NAME, "sub": "user_2abc", "iat": now, "exp": now + 60, "jti": "1"}
    claims |= {"htm": "POST", "htu": URL, "bdh": digest(BODY), "client_id": "client-1"}
    symmetric = {"alg": "HS256", "typ": "gateway-identity+jwt", "kid": "k1"}
    confused = jwt.encode(symmetric, claims, OctKey.import_key(secret), algorithms=["HS256"])
    unsigned = f"{encoded({'alg': 'none', 'typ': 'gateway-identity+jwt', 'kid': 'k1'})}.{payload}."
    read = gateway.signed(method="GET", body_digest="")
    return [
        Case("good", good, subject="user_2abc"),
        Case("a read", read, method="GET", body="", subject="user_2abc"),
        Case("an empty body that was there", gateway.signed(body_digest=digest("")), body="", subject="user_2abc"),
        Case("a long body", gateway.signed(body_digest=""), body=LARGE, subject="user_2abc"),
        Case("a long body that was read", gateway.signed(body_digest=digest(LARGE)), body=LARGE, subject="user_2abc"),
        Case("for another long body", gateway.signed(body_digest=digest(BODY)), body=LARGE),
        Case("expired", gateway.forged(iat=now - 120, exp=now - 60)),
        Case("from the future", gateway.forged(iat=now + 600, exp=now + 660)),
        Case("without an end", gateway.forged(exp=None)),
        Case("for another backend", gateway.forged(aud="payroll")),
        Case("by another issuer", gateway.forged(iss="https://evil.example")),
        Case("by another key under the same id", gateway.forged(key=stranger)),
        Case("by a key nobody published", gateway.forged(key=stranger, head={"kid": "k2"})),
        Case("an access token", gateway.forged(head={"typ": "at+jwt"})),
        Case("for another method", good, method="PUT"),
        Case("for another address", good, url="https://jobs.internal/api/v2/jobs"),
        Case("for another body", good, body='{"job": 8}'),
        Case("for another body, none", good, body=""),
        Case("a read's, for a body", read, method="GET"),
        Case("a small body without a digest", gateway.forged(bdh=None)),
        Case("without a signature", unsigned),
        Case("with the public key as a secret", confused),
        Case("with another's payload", f"{head}.{gateway.signed(subject='user_2def').split('.')[1]}.{signature}"),
        Case("nothing", ""),
        Case("no token", "a.b.c"),
        Case("an enormous one", "A" * 1_000_000),
    ]


def judged(cases: list[Case], verdicts: list[str]) -> dict[str, str]:
    """What was decided otherwise than it must be, by the name of the case."""
    pairs = zip(cases, verdicts, strict=True)
    return {case.name: verdict or "refused" for case, verdict in pairs if verdict != case.subject}


def test_python_believes_what_the_gateway_signed_and_nothing_else(gateway: Gateway, cases: list[Case]) -> None:
    module = ModuleType("gateway_identity")
    exec(compile(program("python"), "docs/guides/backends.md", "exec"), module.__dict__)  # noqa: S102 - our own page
    verifier = module.Gateway(gateway.issuer, NAME)

    def verdict(case: Case) -> str:
        try:
            return str(
                verifier.caller(case.assertion, method=case.method, url=case.url, body=case.body.encode())["sub"]
            )
        except module.NotFromTheGateway:
            return ""

    assert judged(cases, [verdict(case) for case in cases]) == {}


NODE_RUNNER = """
import { readFileSync } from "node:fs";
import { Gateway } from "./gateway.mjs";
const { issuer, name, cases } = JSON.parse(readFileSync(0, "utf8"));
const gateway = new Gateway(issuer, name);
const verdicts = [];
for (const each of cases) {
  try { verdicts.push((await gateway.caller(each.assertion, each)).sub); } catch { verdicts.push(""); }
}
console.log(JSON.stringify(verdicts));
"""


@pytest.mark.node
def test_node_believes_what_the_gateway_signed_and_nothing_else(
    gateway: Gateway, cases: list[Case], tmp_path: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "gateway.mjs").write_text(program("js"))
    (tmp_path / "run.mjs").write_text(NODE_RUNNER)
    assert judged(cases, run([node(), "run.mjs"], gateway, cases, tmp_path)) == {}


GO_RUNNER = """
package gateway

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

func TestCases(t *testing.T) {
	var given struct {
		Issuer, Name string
		Cases        []struct{ Assertion, Method, Url, Body string }
	}
	json.NewDecoder(os.Stdin).Decode(&given)
	gateway, verdicts := &Gateway{Issuer: given.Issuer, Name: given.Name}, []string{}
	for _, each := range given.Cases {
		if claims, err := gateway.Caller(each.Assertion, each.Method, each.Url, []byte(each.Body)); err == nil {
			verdicts = append(verdicts, claims.Subject)
		} else {
			verdicts = append(verdicts, "")
		}
	}
	line, _ := json.Marshal(verdicts)
	fmt.Println(string(line))
}
"""


@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed here")
def test_go_believes_what_the_gateway_signed_and_nothing_else(
    gateway: Gateway, cases: list[Case], tmp_path: Path
) -> None:
    (tmp_path / "go.mod").write_text("module gateway\n\ngo 1.20\n")
    (tmp_path / "gateway.go").write_text(program("go"))
    (tmp_path / "gateway_test.go").write_text(GO_RUNNER)
    subprocess.run(["go", "test", "-c", "-o", "run"], cwd=tmp_path, check=True, timeout=120)
    assert judged(cases, run(["./run"], gateway, cases, tmp_path)) == {}


def run(command: list[str], gateway: Gateway, cases: list[Case], folder: Path) -> list[str]:
    """The verdicts of a program that reads cases and writes one line of JSON."""
    given = {"issuer": gateway.issuer, "name": NAME, "cases": [asdict(case) for case in cases]}
    done = subprocess.run(
        command, input=json.dumps(given), cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    verdicts: list[str] = json.loads(done.stdout.splitlines()[0])
    return verdicts


def digest(body: str) -> str:
    """SHA-256 in base64url."""
    return base64.urlsafe_b64encode(hashlib.sha256(body.encode()).digest()).rstrip(b"=").decode()


def encoded(head: dict[str, Any]) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(head).encode()).rstrip(b"=").decode()
