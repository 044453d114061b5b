"""Authlib, the client of many Python programs, against the running gateway."""

from collections.abc import Iterator
from typing import Any

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.attacks.target import READ, Target

PROOFS = {"none": "A", "client_secret_basic": "C", "client_secret_post": "C"}


@pytest.fixture(params=PROOFS)
def session(server: Target, request: pytest.FixtureRequest) -> Iterator[OAuth2Session]:
    """A client of Authlib's as each kind of client sets it up."""
    known = server.clients[PROOFS[request.param]]
    with OAuth2Session(
        known.client_id,
        known.secret or None,
        token_endpoint_auth_method=request.param,
        scope=READ,
        redirect_uri=known.redirect_uri,
        code_challenge_method="S256",
        default_timeout=30,
    ) as client:
        yield client


def test_metadata_is_valid(server: Target) -> None:
    AuthorizationServerMetadata(server.metadata()).validate()


def test_metadata_of_openid_is_valid_but_for_one_algorithm(server: Target) -> None:
    found = server.get("/.well-known/openid-configuration").json()
    assert found == server.metadata()
    # Discovery wants RS256 in the list; whatever is signed here is signed with ES256
    with pytest.raises(ValueError, match="RS256"):
        OpenIDProviderMetadata(found).validate()
    OpenIDProviderMetadata(found | {"id_token_signing_alg_values_supported": ["ES256", "RS256"]}).validate()


def test_the_whole_life_of_a_grant(server: Target, session: OAuth2Session) -> None:
    metadata = server.metadata()
    first = connect(server, session)
    assert first["scope"] == READ
    assert server.opens(first["access_token"])
    second = session.refresh_token(metadata["token_endpoint"], refresh_token=first["refresh_token"])
    assert server.opens(second["access_token"])
    told = introspected(server, second["access_token"])
    assert told["active"] is True
    assert told["client_id"] == session.client_id
    revoked = session.revoke_token(metadata["revocation_endpoint"], token=second["refresh_token"])  # type: ignore[no-untyped-call]  # Authlib is untyped there
    assert revoked.status_code == 200
    assert not server.opens(second["access_token"])
    with pytest.raises(OAuthError, match="invalid_grant"):
        session.refresh_token(metadata["token_endpoint"], refresh_token=second["refresh_token"])


def test_a_sign_in_is_validated(server: Target, session: OAuth2Session) -> None:
    session.scope = "openid profile email"
    nonce = generate_token()
    bought = connect(server, session, nonce=nonce)
    keys = KeySet.import_key_set(server.get("/.well-known/jwks.json").json())
    read = jwt.decode(bought["id_token"], keys, algorithms=["ES256"])
    claims = CodeIDToken(
        read.claims,
        read.header,
        {
            "iss": {"essential": True, "value": server.issuer},
            "aud": {"essential": True, "value": session.client_id},
            "sub": {"essential": True, "value": "user_2abc"},
            "nonce": {"essential": True, "value": nonce},
            "auth_time": {"essential": True},
        },
        {"nonce": nonce, "client_id": session.client_id, "access_token": bought["access_token"], "max_age": 600},
    )
    claims.validate()
    told = session.get(server.metadata()["userinfo_endpoint"]).json()
    assert (told["sub"], told["preferred_username"]) == (claims["sub"], "ana")
    assert not server.opens(bought["id_token"])


def test_a_wrong_verifier_is_reported_as_such(server: Target, session: OAuth2Session) -> None:
    with pytest.raises(OAuthError, match="invalid_grant"):
        connect(server, session, presented=generate_token(48))


def test_a_wrong_secret_is_reported_as_such(server: Target) -> None:
    client = server.clients["C"]
    with OAuth2Session(client.client_id, "wrong") as session, pytest.raises(OAuthError, match="invalid_client"):
        session.refresh_token(server.metadata()["token_endpoint"], refresh_token="x")


def introspected(server: Target, token: str) -> dict[str, Any]:
    """What the resource server is told, with Authlib too."""
    known = server.clients["S"]
    with OAuth2Session(known.client_id, known.secret, default_timeout=30) as resource_server:
        endpoint = server.metadata()["introspection_endpoint"]
        told: dict[str, Any] = resource_server.introspect_token(endpoint, token=token).json()
    return told


def connect(server: Target, session: OAuth2Session, *, presented: str = "", **asked: str) -> dict[str, Any]:
    """The authorization code flow, a person in between."""
    metadata, browser, verifier = server.metadata(), server.person(), generate_token(48)
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, resource=server.resource, **asked
    )
    page = server.decide(browser, browser.open(url))
    tokens: dict[str, Any] = session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=page.response.headers["location"],
        state=state,
        code_verifier=presented or verifier,
    )
    return tokens
