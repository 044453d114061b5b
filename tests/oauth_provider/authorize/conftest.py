"""A small world for the authorization endpoint: two people, three clients, one resource."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client as Browser

from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.models import Client
from oauth_provider.resources.models import Resource
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CALLBACK = "https://c.example/cb"


@dataclass
class World:
    """What a test asks for and the browser that asks."""

    browser: Browser
    ana: AbstractBaseUser
    bruno: AbstractBaseUser
    public: Client
    gpt: Client
    resource: Resource
    defaults: dict[str, str] = field(default_factory=dict)

    def url(self, **changes: str | None) -> str:
        """An authorization URL of the public client; a parameter changed to None is left out."""
        parameters = {**self.defaults, **changes}
        return "/oauth/authorize?" + urlencode({k: v for k, v in parameters.items() if v is not None})

    def ask(self, **changes: str | None) -> HttpResponse:
        """GET the authorization endpoint."""
        return self.browser.get(self.url(**changes))

    def open(self, **changes: str | None) -> Interaction:
        """Show the consent page and return its interaction."""
        assert self.ask(**changes).status_code == 200
        return Interaction.objects.latest("created_at")

    def decide(
        self, interaction: Interaction | str, decision: str = "allow", scope: Any = ("tool:read",)
    ) -> HttpResponse:
        """POST the consent form."""
        key = interaction if isinstance(interaction, str) else interaction.pk
        return self.browser.post("/oauth/authorize", {"interaction": key, "decision": decision, "scope": list(scope)})


@pytest.fixture
def answer() -> Callable[[HttpResponse], dict[str, str]]:
    """The parameters a redirect carries to the client."""
    return lambda response: dict(parse_qsl(urlsplit(response["Location"]).query))


@pytest.fixture
def world(db: None) -> World:
    """Ana is signed in, and nobody has used up a rate."""
    cache.clear()
    for name, title, sensitivity in (
        ("tool:read", "Read with tools", "normal"),
        ("tool:write", "Change with tools", "write"),
        ("other:read", "Read other things", "normal"),
    ):
        Scope.objects.update_or_create(
            name=name,
            defaults={
                "title": title,
                "sensitivity": sensitivity,
                "translations": {"pt-br": {"title": f"{title} (pt)"}},
            },
        )
    users = get_user_model().objects
    ana = users.create_user("ana-t", password="correct horse")
    bruno = users.create_user("bruno-t", password="correct horse")
    resource = register(path="/api/v1/echo", title="Echo")
    shared = {
        "authorization_grant_type": Client.GRANT_AUTHORIZATION_CODE,
        "allowed_scopes": "tool:read tool:write",
        "default_resource": "/api/v1/echo",
    }
    public = Client.objects.create(
        name="Desk <b>Assistant</b>",
        client_type=Client.CLIENT_PUBLIC,
        redirect_uris=f"{CALLBACK} http://127.0.0.1/cb http://localhost/callback cursor://anysphere.cursor-mcp/oauth/callback",
        **shared,
    )
    gpt = Client.objects.create(
        name="Career Copilot",
        client_type=Client.CLIENT_CONFIDENTIAL,
        preset="gpt",
        trust="verified",
        redirect_uris="https://chat.openai.com/aip/g-demo/oauth/callback https://chatgpt.com/aip/g-demo/oauth/callback",
        **shared,
    )
    browser = Browser()
    browser.force_login(ana, backend="django.contrib.auth.backends.ModelBackend")
    defaults = {
        "client_id": public.client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "tool:read tool:write",
        "state": "s t/1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return World(browser, ana, bruno, public, gpt, resource, defaults)
