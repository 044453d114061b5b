"""Authlib, the client of many Python programs, against the running gateway."""

from collections.abc import Iterator
from typing import Any

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

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


def connect(server: Target, session: OAuth2Session, *, presented: str = "") -> dict[str, Any]:
    """The authorization code flow, a person in between."""
    metadata, browser, verifier = server.metadata(), server.person(), generate_token(48)
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, resource=server.resource
    )
    page = server.decide(browser, browser.open(url))
    tokens: dict[str, Any] = session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=page.response.headers["location"],
        state=state,
        code_verifier=presented or verifier,
    )
    return tokens
