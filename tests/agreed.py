"""A client, a person and what they agreed on, without the pages that usually bring them together."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_grant_model

from oauth_provider.clients.models import Client, Preset
from oauth_provider.clients.secrets import create_secret
from oauth_provider.connections.models import Connection
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.codes import code_checksum, new_code
from oauth_provider.tokens.models import AuthorizationCode
from oauth_provider.tokens.verify import InvalidToken, verify_access_token

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT = "https://client.example/callback"
SCOPES = ("tool:read", "tool:write")


@dataclass
class World:
    """Everything a token request needs, and short names for the requests themselves."""

    browser: Browser
    client: Client
    secret: str
    connection: Connection

    def code(self, *, challenge: str = CHALLENGE, scopes: tuple[str, ...] = SCOPES, **changes: Any) -> str:
        """A code as the consent page would have given it."""
        code = new_code()
        expires = timezone.now() + changes.pop("lifetime", timedelta(seconds=60))
        get_grant_model().objects.create(
            application=self.client,
            user=self.connection.user,
            code=code_checksum(code),
            expires=expires,
            redirect_uri=changes.pop("redirect_uri", REDIRECT),
            scope=" ".join(scopes),
            code_challenge=challenge,
            code_challenge_method="S256" if challenge else "",
            resource=[self.connection.resource.identifier],
        )
        AuthorizationCode.objects.create(checksum=code_checksum(code), connection=self.connection, expires_at=expires)
        return code

    def token(self, **parameters: Any) -> Any:
        """POST to the token endpoint; the client authenticates in the body. None leaves a parameter out."""
        return self.post("/oauth/token", **parameters)

    def post(self, path: str, **parameters: Any) -> Any:
        """POST a form with the client's credentials."""
        defaults = {"client_id": self.client.client_id, "client_secret": self.secret or None}
        form = {name: value for name, value in (defaults | parameters).items() if value is not None}
        return self.browser.post(path, form_encoded(form), content_type="application/x-www-form-urlencoded")

    def redeem(self, code: str, **parameters: Any) -> Any:
        """Exchange a code."""
        defaults = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return self.token(code=code, **(defaults | parameters))

    def introspect(self, token: str) -> Any:
        """Ask about a token as the resource server of the connection's API."""
        server, _created = Client.objects.get_or_create(
            name="Resource server",
            preset=Preset.SERVICE,
            client_type=Client.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS,
        )
        server.introspects.add(self.connection.resource)
        server.secrets.all().delete()
        secret = create_secret(client=server, actor=None)
        return self.post("/oauth/introspect", token=token, client_id=server.client_id, client_secret=secret)

    def refresh(self, refresh_token: str, **parameters: Any) -> Any:
        """Exchange a refresh token."""
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **parameters)

    def pair(self, **changes: Any) -> dict[str, Any]:
        """A fresh pair of tokens."""
        answer = self.redeem(self.code(**changes))
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found


def opens(token: str) -> bool:
    """Whether the data plane would take it."""
    try:
        verify_access_token(token)
    except InvalidToken:
        return False
    return True


def form_encoded(form: dict[str, str]) -> str:
    """Percent-encode a form."""
    return urlencode(form)


@pytest.fixture
def make_client(db: None) -> Callable[..., Client]:
    """Create clients."""
    del db

    def make(**changes: Any) -> Client:
        values: dict[str, Any] = {
            "name": "Test",
            "preset": Preset.OTHER,
            "client_type": Client.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Client.GRANT_AUTHORIZATION_CODE,
            "redirect_uris": REDIRECT,
            "allowed_scopes": " ".join(SCOPES),
            "default_resource": "/api/v1/echo",
        }
        client: Client = Client.objects.create(**(values | changes))
        return client

    return make


@pytest.fixture
def make_world(make_client: Callable[..., Client]) -> Callable[..., World]:
    """Create a client with a connection of one user."""

    def make(username: str = "ana", **changes: Any) -> World:
        for name in SCOPES:
            Scope.objects.get_or_create(name=name, defaults={"title": name})
        resource = register(path="/api/v1/echo", title="Echo")
        client = make_client(**changes)
        user, _created = get_user_model().objects.get_or_create(username=username)
        secret = create_secret(client=client, actor=None) if client.is_confidential else ""
        connection = Connection.objects.create(
            user=user, client=client, resource=resource, redirect_host="client.example", scopes=" ".join(SCOPES)
        )
        return World(Browser(), client, secret, connection)

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A confidential client."""
    return make_world()


@pytest.fixture
def public(make_world: Callable[..., World]) -> World:
    """A public client."""
    return make_world(client_type=Client.CLIENT_PUBLIC)
