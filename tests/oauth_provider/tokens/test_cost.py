"""What a token request costs: few statements, and no slow hash (it would be a denial of service for everybody)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.agreed import World
from tests.assertions import Signer


@pytest.fixture
def no_password_hasher(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every hasher there is notes that it was asked, and fails."""
    asked: list[str] = []

    def refuse(hasher: hashers.BasePasswordHasher, *_arguments: Any, **_options: Any) -> Any:
        asked.append(type(hasher).__name__)
        raise AssertionError("a password hasher on a token request")

    for hasher in hashers.get_hashers():
        for act in ("encode", "verify"):
            monkeypatch.setattr(type(hasher), act, refuse)
    yield asked
    assert not asked


def statements(act: Callable[[], Any]) -> list[str]:
    """What the database is asked meanwhile, savepoints apart: outside a test they are the transaction's ends."""
    with CaptureQueriesContext(connection) as captured:
        answer = act()
    assert answer.status_code == 200, answer.content
    return [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]


def test_a_code_costs_thirteen_statements(world: World) -> None:
    world.pair()
    code = world.code()
    assert len(statements(lambda: world.redeem(code))) == 13


def test_a_refresh_costs_twelve_statements_and_its_retry_seven(world: World) -> None:
    token = world.pair()["refresh_token"]
    assert len(statements(lambda: world.refresh(token))) == 12
    assert len(statements(lambda: world.refresh(token))) == 7


def test_a_signature_costs_no_more_than_a_secret(make_world: Callable[..., World]) -> None:
    signer = Signer(algorithm="ES256")
    world = make_world(**signer.fields())
    signer.client_id, world.secret = world.client.client_id, ""
    assert world.redeem(world.code(), **signer.proof()).status_code == 200
    code = world.code()
    # Its assertion is noted as used, and no secret is looked up
    assert len(statements(lambda: world.redeem(code, **signer.proof()))) == 13


@pytest.mark.usefixtures("no_password_hasher")
@pytest.mark.parametrize("secret", ["right", "wrong"])
def test_no_password_hasher_is_asked(world: World, public: World, secret: str) -> None:
    password = world.secret if secret == "right" else "wrong"
    pair = world.redeem(world.code(), client_secret=password).json()
    world.refresh(pair.get("refresh_token", "gh_rt_x"), client_secret=password)
    world.token(grant_type="client_credentials", client_id="unknown", client_secret=password)
    for path in ("/oauth/introspect", "/oauth/revoke"):
        world.post(path, token=pair.get("access_token", "x"), client_secret=password)
    public.refresh(public.pair()["refresh_token"])
    assert ("access_token" in pair) is (secret == "right")
