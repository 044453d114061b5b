"""What a person gave a client is one connection, and giving again replaces it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from oauth_provider.connections.grant import grant_connection
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.resources.registry import register
from oauth_provider.revisions.read import read_all
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.agreed import World


def grant(world: World, *scopes: str, **changes: Any) -> Connection:
    """Allow the client of `world` once more."""
    connection = world.connection
    values: dict[str, Any] = {
        "user": connection.user,
        "client": connection.client,
        "resource": connection.resource,
        "redirect_host": connection.redirect_host,
        "scopes": scopes or ("tool:read", "tool:write"),
        "shown_digest": "d" * 64,
        "shown_locale": "pt-br",
    }
    return grant_connection(**(values | changes))


def revision() -> int:
    return read_all().get("revocation", 0)


def test_giving_again_is_the_same_connection_with_the_words_shown_last(world: World) -> None:
    again = grant(world)
    assert again.pk == world.connection.pk
    assert (again.shown_digest, again.shown_locale) == ("d" * 64, "pt-br")


def test_what_is_left_out_is_taken_from_the_tokens_issued_before(world: World) -> None:
    token, before = world.pair()["access_token"], revision()
    grant(world, "tool:read")
    assert verify_access_token(token).scopes == {"tool:read"}
    assert revision() == before + 1


def test_more_than_before_moves_nothing_and_widens_no_token_issued_before(world: World) -> None:
    grant(world, "tool:read")
    token, before = world.pair(scopes=("tool:read",))["access_token"], revision()
    grant(world, "tool:read", "tool:write")
    assert verify_access_token(token).scopes == {"tool:read"}
    assert revision() == before


@pytest.mark.parametrize("what", ["redirect_host", "resource", "user"])
def test_another_host_resource_or_person_is_another_connection(world: World, what: str, django_user_model: Any) -> None:
    others: dict[str, Callable[[], Any]] = {
        "redirect_host": lambda: "other.example",
        "resource": lambda: register(path="/api/v1/other", title="Other"),
        "user": lambda: django_user_model.objects.create(username="bruno"),
    }
    assert grant(world, **{what: others[what]()}).pk != world.connection.pk


def test_a_revoked_connection_is_never_revived(world: World) -> None:
    token = world.pair()["access_token"]
    revoke_connection(connection=world.connection, actor=None, by="user", reason="")
    anew = grant(world)
    assert anew.pk != world.connection.pk
    assert Connection.objects.filter(revoked_at=None).count() == 1
    with pytest.raises(InvalidToken):
        verify_access_token(token)


def test_giving_again_renews_a_connection_that_had_expired(world: World) -> None:
    Connection.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert grant(world).is_live
