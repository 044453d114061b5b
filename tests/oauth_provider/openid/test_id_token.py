"""ID tokens (OpenID Connect Core sections 2, 3.1.3 and 12.2): what they say, and that they open nothing."""

import base64
import hashlib
import time

import pytest
from django.conf import settings
from django.test import Client as Browser

from audit.ledger.models import Event
from oauth_provider.clients.models import Client
from oauth_provider.clients.secrets import create_secret
from oauth_provider.tokens.introspection import introspect
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.oauth_provider.authorize.world import World
from tests.oauth_provider.openid.sign_in import read, refreshed, token, tokens, userinfo


def test_s2_it_says_who_signed_in_when_and_for_whom(world: World) -> None:
    before = int(time.time())
    bought = tokens(world, nonce="n-0S6_WzA2Mj")
    found = read(bought["id_token"])
    claims = found.claims
    assert found.header["alg"] == "ES256"
    assert found.header["kid"] in [key["kid"] for key in Browser().get("/.well-known/jwks.json").json()["keys"]]
    assert found.header["typ"] == "JWT"
    assert set(claims) == {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash"}
    assert claims["iss"] == settings.PUBLIC_BASE_URL
    assert claims["sub"] == "user_2abc"
    assert claims["aud"] == world.public.client_id
    assert claims["nonce"] == "n-0S6_WzA2Mj"
    assert before <= claims["iat"] <= claims["exp"] - 600
    assert claims["auth_time"] == int(world.browser.session["signed_in_at"])


def test_s3_1_3_6_at_hash_is_the_left_half_of_the_access_tokens_hash(world: World) -> None:
    bought = tokens(world)
    half = hashlib.sha256(bought["access_token"].encode()).digest()[:16]
    assert read(bought["id_token"]).claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_without_a_nonce_there_is_none(world: World) -> None:
    assert "nonce" not in read(tokens(world)["id_token"]).claims


@pytest.mark.parametrize(("asked", "given"), [("tool:read", None), ("openid email", "email"), ("profile email", None)])
def test_s3_1_2_1_without_openid_there_is_no_id_token(world: World, asked: str, given: str | None) -> None:
    assert "id_token" not in tokens(world, scope=asked, given=given)


def test_s12_2_a_refresh_says_the_same_person_and_sign_in_without_the_nonce(world: World) -> None:
    first = tokens(world, nonce="n", scope="openid tool:read offline_access")
    session = world.browser.session
    session["signed_in_at"] += 100
    session.save()
    second = refreshed(world, first["refresh_token"]).json()
    old, new = read(first["id_token"]).claims, read(second["id_token"]).claims
    for name in ("iss", "sub", "aud", "auth_time"):
        assert new[name] == old[name]
    assert "nonce" not in new
    assert new["iat"] >= old["iat"]
    assert new["at_hash"] != old["at_hash"]
    third = refreshed(world, second["refresh_token"], scope="tool:read").json()
    assert "id_token" not in third


def test_a_repeated_refresh_gets_an_id_token_of_the_same_access_token(world: World) -> None:
    first = tokens(world)
    second, again = (refreshed(world, first["refresh_token"]).json() for _ in range(2))
    assert again["access_token"] == second["access_token"]
    assert read(again["id_token"]).claims["at_hash"] == read(second["id_token"]).claims["at_hash"]


def test_it_is_neither_stored_nor_recorded(world: World) -> None:
    id_token = tokens(world)["id_token"]
    signature = id_token.rsplit(".", 1)[1]
    for event in Event.objects.all():
        assert signature not in repr(vars(event))
        assert "user_2abc" not in event.note


def test_i11_it_opens_nothing(world: World) -> None:
    bought = tokens(world, scope="openid profile tool:read")
    with pytest.raises(InvalidToken):
        verify_access_token(bought["id_token"])
    refused = userinfo(bought["id_token"])
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused["WWW-Authenticate"]
    server: Client = Client.objects.create(
        name="API", client_type="confidential", authorization_grant_type="client-credentials"
    )
    server.introspects.add(world.resource)
    assert introspect(token=bought["access_token"], client=server)["active"] is True
    assert introspect(token=bought["id_token"], client=server) == {"active": False}
    assert refreshed(world, bought["id_token"]).json()["error"] == "invalid_grant"


def test_i11_it_cannot_be_exchanged_and_an_exchanged_token_tells_nothing_of_the_person(world: World) -> None:
    world.gpt.may_exchange_tokens = True
    world.gpt.save()
    world.gpt.exchanges_for.add(world.public)
    bought = tokens(world, scope="openid email tool:read")
    proof = {"client_id": world.gpt.client_id, "client_secret": create_secret(client=world.gpt, actor=None)}
    kind = "urn:ietf:params:oauth:token-type:"
    exchange = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", **proof}
    for name in ("access_token", "id_token"):
        refused = token(world, **exchange, subject_token=bought["id_token"], subject_token_type=f"{kind}{name}")
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    accepted = token(
        world, **exchange, subject_token=bought["access_token"], subject_token_type=f"{kind}access_token"
    ).json()
    assert accepted["scope"] == "tool:read"
    assert "id_token" not in accepted
    assert userinfo(accepted["access_token"]).status_code == 403
