"""A company's OpenID provider, small: it does what the standard says, and whatever else a test makes it say."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from django.test import Client as Browser
from joserfc.jwk import RSAKey

from tests.proxy.issuers.idp import base64url, public, sign
from tests.small_server import answering

CLIENT_ID, CLIENT_SECRET = "gatehouse", "a secret of the company"
MARIA: dict[str, Any] = {
    "sub": "u-maria",
    "email": "maria@acme.example",
    "email_verified": True,
    "preferred_username": "maria",
    "given_name": "Maria",
    "family_name": "Souza",
}
KEY = RSAKey.generate_key(2048, {"kid": "k1"})


@dataclass
class Provider:
    """A running one; the fields are what a test changes. `asked` are the paths it was asked for."""

    port: int
    key: RSAKey = field(default_factory=lambda: KEY)
    # Signs instead of the key that is published
    signer: RSAKey | None = None
    # Signs with this secret, as somebody would who only knows what is not private to the provider
    mac: bytes = b""
    person: dict[str, Any] = field(default_factory=lambda: dict(MARIA))
    # Instead of what is right; None leaves a claim or a member out
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    id_token: str = ""
    token_status: int = 200
    # The body of the token endpoint, sent without a content type
    token_body: bytes = b""
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """Its name."""
        return f"http://127.0.0.1:{self.port}"

    def document(self) -> dict[str, Any]:
        """Its metadata."""
        good = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/leave",
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        return _without_none({**good, **self.metadata})

    def approve(self, url: str, **changes: str | None) -> str:
        """What a person does who is sent to `url`: the path and query she comes back with."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert url.startswith(f"{self.issuer}/authorize?"), url
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        code = secrets.token_hex(8)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer, **changes}
        return f"{urlsplit(asked['redirect_uri']).path}?{urlencode(_without_none(answer))}"

    def tokens(self, form: dict[str, str]) -> dict[str, Any] | None:
        """The token endpoint: single use, PKCE, the redirect URI once more."""
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        signed = sign(
            self.signer or self.key,
            _without_none({"alg": "RS256", "kid": "k1", **self.header}),
            _without_none({**claims, **self.person, **self.claims}),
            algorithm=str(self.header.get("signed_as", "")),
        )
        if self.mac:
            text = signed.rpartition(".")[0]
            signed = f"{text}.{base64url(hmac.digest(self.mac, text.encode(), 'sha256'))}"
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": self.id_token or signed}


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@contextmanager
def running() -> Iterator[Provider]:
    """A provider until the block ends."""
    with answering(Answers) as server:
        server.provider = Provider(port=server.server_port)  # type: ignore[attr-defined]
        yield server.provider  # type: ignore[attr-defined]


class Answers(BaseHTTPRequestHandler):
    """Its HTTP."""

    def do_GET(self) -> None:
        """Documents."""
        provider = self._provider()
        if self.path == "/jwks":
            self._say(200, {"keys": [public(provider.key, use="sig", alg="RS256")]})
        elif self.path == "/userinfo":
            is_known = self.headers["Authorization"] == "Bearer opaque"
            self._say(200 if is_known else 401, {"sub": provider.person["sub"], **provider.userinfo})
        else:
            self._say(200 if self.path == "/.well-known/openid-configuration" else 404, provider.document())

    def do_POST(self) -> None:
        """The token endpoint."""
        provider = self._provider()
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        found = provider.tokens({name: values[0] for name, values in parse_qs(body).items()})
        is_proven = self.headers.get("Authorization") == f"Basic {basic}"
        if provider.token_body:
            self.send_response(200)
            self.send_header("Content-Length", str(len(provider.token_body)))
            self.end_headers()
            self.wfile.write(provider.token_body)
        elif provider.token_status != 200 or not is_proven or found is None:
            self._say(provider.token_status if provider.token_status != 200 else 400, {"error": "invalid_grant"})
        else:
            self._say(200, found)

    def _provider(self) -> Provider:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        provider.asked.append(self.path)
        return provider

    def _say(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if 300 <= status < 400:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()
        self.wfile.write(body)


def leave(browser: Browser, **query: str) -> str:
    """Press the button; the provider's address a browser is sent to."""
    answer = browser.get("/accounts/provider/", query)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def come(browser: Browser, provider: Provider, target: str = "/connected-apps/", **changes: str | None) -> Any:
    """The whole trip; the gateway's answer to the return."""
    return browser.get(provider.approve(leave(browser, next=target), **changes))


def is_signed_in(browser: Browser) -> bool:
    """Whether anybody is."""
    return "_auth_user_id" in browser.session
