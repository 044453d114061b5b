"""Documents, the hosts that serve them, and a person who authorizes their clients."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.test import Client as Browser

from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.models import Client
from oauth_provider.registration.documents.models import MetadataDocument
from oauth_provider.resources.models import Resource
from tests.internet import Internet, Visit

URL = "https://app.example/oauth/client.json"
CALLBACK = "https://app.example/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
FORM = "application/x-www-form-urlencoded"


def document(**changes: Any) -> dict[str, Any]:
    """A good one; what is changed to None is left out."""
    good = {
        "client_id": URL,
        "client_name": "Example App",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


@dataclass
class Served:
    """What the host of a document answers now."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    slowness_s: float = 0.0

    def __call__(self, visit: Visit) -> None:
        """Answer; 304 to whoever has it already."""
        time.sleep(self.slowness_s)
        etag = self.headers.get("etag")
        if self.status == 200 and etag and visit.headers.get("if-none-match") == etag:
            visit.answer(b"", status=304, **self.headers)
        else:
            visit.answer(self.body, status=self.status, **self.headers)


@dataclass
class DocumentWorld:
    """One person, one API."""

    browser: Browser
    internet: Internet
    resource: Resource

    def serve(self, content: dict[str, Any] | bytes | None = None, *, host: str = "app.example", **how: Any) -> Served:
        """Let `host` serve a document."""
        body = content if isinstance(content, bytes) else json.dumps(content or document()).encode()
        served = Served(body, **how)
        self.internet.host(host, served)
        return served

    def ask(
        self, client_id: str = URL, *, redirect_uri: str = CALLBACK, browser: Browser | None = None, **more: str
    ) -> Any:
        """GET the authorization endpoint."""
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "scope": "tool:read",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": self.resource.identifier,
        }
        return (browser or self.browser).get(f"/oauth/authorize?{urlencode(asked | more)}")

    def code(self, client_id: str = URL, *, redirect_uri: str = CALLBACK) -> str:
        """Ask, allow, and take the code from the redirect."""
        page = self.ask(client_id, redirect_uri=redirect_uri)
        assert page.status_code == 200, page.content.decode()
        form = {"interaction": Interaction.objects.latest("created_at").pk, "decision": "allow", "scope": ["tool:read"]}
        answer = self.browser.post("/oauth/authorize", form)
        assert answer["Location"].startswith(redirect_uri), answer["Location"]
        (code,) = parse_qs(urlsplit(answer["Location"]).query)["code"]
        return code

    def token(self, **parameters: str) -> Any:
        """POST to the token endpoint, as a machine does."""
        return Browser().post("/oauth/token", urlencode(parameters), content_type=FORM)

    def redeem(self, code: str, client_id: str = URL, *, redirect_uri: str = CALLBACK, **proof: str) -> Any:
        """Exchange a code."""
        return self.token(
            grant_type="authorization_code",
            client_id=client_id,
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=VERIFIER,
            resource=self.resource.identifier,
            **proof,
        )


def stored(url: str = URL) -> MetadataDocument:
    """What is known of a document."""
    return MetadataDocument.objects.get(client__client_id=url)


def client_of(url: str = URL) -> Client:
    """The client it describes."""
    found: Client = Client.objects.get(client_id=url)
    return found


def pass_time(*, url: str = URL, **time_passed: float) -> None:
    """Let the document be as old as if that much time had passed."""
    found, passed = stored(url), timedelta(**time_passed)
    for name in ("fetched_at", "fresh_until", "tried_at"):
        setattr(found, name, getattr(found, name) - passed)
    found.save()
