"""A client that lets people sign in, and how it reads what it gets."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.test import Client as Browser
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.oauth_provider.authorize.world import CALLBACK, World

# The pair of RFC 7636 appendix B, whose challenge the world asks with
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
ALL = "openid profile email offline_access"


def code_of(world: World, *, scope: str = ALL, given: str | None = None, **changes: str | None) -> str:
    """The code for what Ana gave (`given`; everything asked when None)."""
    interaction = world.open(scope=scope, **changes)
    answer = world.decide(interaction, scope=(scope if given is None else given).split())
    return str(dict(parse_qsl(urlsplit(answer["Location"]).query))["code"])


def token(world: World, **form: str) -> Any:
    """POST to the token endpoint as the public client."""
    form = {"client_id": world.public.client_id, **form}
    return Browser().post("/oauth/token", urlencode(form), content_type="application/x-www-form-urlencoded")


def tokens(world: World, **asked: Any) -> dict[str, Any]:
    """What the code buys."""
    form = {"grant_type": "authorization_code", "code": code_of(world, **asked)}
    answer = token(world, **form, code_verifier=VERIFIER, redirect_uri=CALLBACK)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def refreshed(world: World, refresh_token: str, **form: str) -> Any:
    """POST a refresh."""
    return token(world, grant_type="refresh_token", refresh_token=refresh_token, **form)


def read(id_token: str) -> jwt.Token:
    """An ID token, its signature checked with the published keys."""
    keys = KeySet.import_key_set(Browser().get("/.well-known/jwks.json").json())
    return jwt.decode(id_token, keys, algorithms=["ES256"])


def userinfo(access_token: str, **headers: str) -> Any:
    """GET the UserInfo endpoint."""
    return Browser().get("/oauth/userinfo", headers={"authorization": f"Bearer {access_token}", **headers})
