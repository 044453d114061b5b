"""Somebody else's authorization server, small: it publishes keys on a loopback port and signs whatever a test says."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from tests.small_server import answering

Key = RSAKey | ECKey | OKPKey
AUDIENCE = "https://api.example.com"
SUBJECT = "user_2clerk"


def rsa(kid: str = "k1", *, bits: int = 2048) -> RSAKey:
    """A new key."""
    return RSAKey.generate_key(bits, {"kid": kid})


def ec(kid: str = "k1") -> ECKey:
    """A new key."""
    return ECKey.generate_key("P-256", {"kid": kid})


def ed(kid: str = "k1") -> OKPKey:
    """A new key."""
    return OKPKey.generate_key("Ed25519", {"kid": kid})


def public(key: Key, **members: Any) -> dict[str, Any]:
    """`key` as it is published."""
    return {**key.as_dict(private=False), **members}


def sign(key: Any, header: dict[str, Any], claims: Any, *, algorithm: str = "") -> str:
    """A compact JWS of these claims, or of whatever bytes, by hand: an attacker's library checks nothing either.

    Made with `algorithm`, by default the one that the header names; HMAC with SHA-256 where `key` is bytes.
    """
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    parts = [base64url(json.dumps(header).encode()), base64url(payload)]
    signed = ".".join(parts).encode()
    if isinstance(key, bytes):
        signature = hmac.digest(key, signed, "sha256")
    else:
        name = algorithm or header["alg"]
        signature = JWSRegistry.algorithms[{"EdDSA": "Ed25519"}.get(name, name)].sign(signed, key)
    return ".".join([*parts, base64url(signature)])


def base64url(raw: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(issuer: str, **changes: Any) -> dict[str, Any]:
    """Good claims, changed; None leaves one out."""
    now = int(time.time())
    good: dict[str, Any] = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": SUBJECT,
        "azp": "https://app.example.com",
        "scope": "openid jobs:read",
        "iat": now,
        "nbf": now - 10,
        "exp": now + 60,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


@dataclass
class Idp:
    """A running one. `keys` are published, `requests` the paths asked for; `status` and `body` replace the answer."""

    port: int
    keys: list[Key] = field(default_factory=lambda: [rsa()])
    requests: list[str] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    delay_s: float = 0.0
    location: str = ""

    @property
    def issuer(self) -> str:
        """What its tokens say."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def jwks_url(self) -> str:
        """Where its keys are."""
        return f"{self.issuer}.well-known/jwks.json"

    def token(self, key: Key | None = None, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token signed with `key`, by default the first; `header` changes its header, None leaving a member out."""
        signer = key or self.keys[0]
        algorithm = {RSAKey: "RS256", ECKey: "ES256", OKPKey: "EdDSA"}[type(signer)]
        whole = {"alg": algorithm, "typ": "JWT", "kid": signer.kid} | (header or {})
        return sign(
            signer,
            {name: value for name, value in whole.items() if value is not None},
            claims(self.issuer, **changes),
        )

    def answer(self) -> bytes:
        """What it publishes."""
        return json.dumps({"keys": [public(key) for key in self.keys]}).encode() if self.body is None else self.body


@contextmanager
def idp(port: int = 0) -> Iterator[Idp]:
    """One that runs until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.requests.append(self.path)
            time.sleep(running.delay_s)
            body = running.answer()
            self.send_response(running.status)
            if running.location:
                self.send_header("Location", running.location)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with answering(Handler, port=port) as server:
        running = Idp(port=server.server_port)
        yield running
