"""A small world for the authorization endpoint: two people, three clients, one resource."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser

from oauth_provider.clients.models import Client
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope
from tests.oauth_provider.authorize.world import CALLBACK, CHALLENGE, Answer, World


@pytest.fixture
def answer() -> Answer:
    """The parameters a redirect carries to the client."""
    return lambda response: dict(parse_qsl(urlsplit(response["Location"]).query))


@pytest.fixture
def world(db: None) -> World:
    """Ana is signed in."""
    for name, title, sensitivity in (
        ("tool:read", "Read with tools", "normal"),
        ("tool:write", "Change with tools", "write"),
        ("other:read", "Read other things", "normal"),
    ):
        words = {"title": title, "translations": {"pt-br": {"title": f"{title} (pt)"}}}
        Scope.objects.update_or_create(name=name, defaults={"sensitivity": sensitivity, **words})
    users = get_user_model().objects
    ana = users.create_user("ana-t", password="correct horse")
    bruno = users.create_user("bruno-t", password="correct horse")
    public = make_client(
        name="Desk <b>Assistant</b>",
        client_type=Client.CLIENT_PUBLIC,
        redirect_uris=f"{CALLBACK} http://127.0.0.1/cb http://localhost/callback cursor://anysphere.cursor-mcp/oauth/callback",
    )
    gpt = make_client(
        name="Career Copilot",
        client_type=Client.CLIENT_CONFIDENTIAL,
        preset="gpt",
        trust="verified",
        redirect_uris="https://chat.openai.com/aip/g-demo/oauth/callback https://chatgpt.com/aip/g-demo/oauth/callback",
    )
    browser = Browser()
    browser.force_login(ana, backend="django.contrib.auth.backends.ModelBackend")
    return World(browser, ana, bruno, public, gpt, register(path="/api/v1/echo", title="Echo"), asked_by(public))


def make_client(**fields: str) -> Client:
    """A client of the authorization code grant that may ask for the tool scopes."""
    client: Client = Client.objects.create(
        authorization_grant_type=Client.GRANT_AUTHORIZATION_CODE,
        allowed_scopes="tool:read tool:write",
        default_resource="/api/v1/echo",
        **fields,
    )
    return client


def asked_by(client: Client) -> dict[str, str]:
    """What `client` asks for when a test says nothing else."""
    return {
        "client_id": client.client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "tool:read tool:write",
        "state": "s t/1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
