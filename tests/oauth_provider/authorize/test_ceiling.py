"""What a person may ever give: not shown beyond it, not given beyond it, and what was given before shrinks to it."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from audit.ledger.models import Event
from oauth_provider.authorize.models import Interaction
from oauth_provider.connections.models import Connection
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.models import Identity
from oauth_provider.scopes.openid import add_openid_scopes
from oauth_provider.tokens.verify import verify_access_token
from tests.agreed import World as Agreed
from tests.oauth_provider.authorize.world import Answer, World


def limit(user: User, scopes: str | None) -> None:
    """Let `user` give no more than `scopes`."""
    assert Identity.objects.filter(user=user_ref(user).user_id).update(grantable_scopes=scopes)


def test_what_lies_beyond_is_not_shown(world: World) -> None:
    limit(world.ana, "tool:read other:read")
    assert world.open().scopes == "tool:read"
    limit(world.ana, None)
    assert world.open().scopes == "tool:read tool:write"


def test_it_is_one_persons_and_nobody_elses(world: World) -> None:
    limit(world.bruno, "")
    assert world.open().scopes == "tool:read tool:write"


@pytest.mark.parametrize("scopes", ["", "other:read"])
def test_when_nothing_is_left_the_client_is_told_so(world: World, answer: Answer, scopes: str) -> None:
    limit(world.ana, scopes)
    assert answer(world.ask())["error"] == "access_denied"
    assert Event.objects.get(kind="oauth:authorization:refused").reason == "beyond_ceiling"
    assert not Interaction.objects.exists()


def test_who_somebody_is_is_always_theirs_to_tell(world: World) -> None:
    add_openid_scopes()
    limit(world.ana, "")
    assert world.open(scope="openid email tool:read").scopes == "openid email"


def test_a_page_that_was_shown_before_gives_no_more(world: World) -> None:
    shown = world.open()
    limit(world.ana, "tool:read")
    refused = world.decide(shown, scope=["tool:read", "tool:write"])
    assert refused.status_code == 400
    assert Event.objects.latest("pk").reason == "scope_withdrawn"
    assert not Connection.objects.exists()


def held(token: Any) -> frozenset[str]:
    """The scopes an access token opens now."""
    return verify_access_token(token["access_token"]).scopes


def test_what_was_given_before_shrinks_at_once_and_grows_again(agreed: Agreed) -> None:
    pair = agreed.pair()
    limit(agreed.connection.user, "tool:read")
    assert held(pair) == {"tool:read"}
    renewed = agreed.refresh(pair["refresh_token"]).json()
    assert renewed["scope"] == "tool:read"
    limit(agreed.connection.user, None)
    assert held(pair) == {"tool:read", "tool:write"}
    assert agreed.refresh(renewed["refresh_token"]).json()["scope"] == "tool:read tool:write"


def test_a_code_that_waits_brings_no_more(agreed: Agreed) -> None:
    code = agreed.code()
    limit(agreed.connection.user, "tool:write")
    assert agreed.redeem(code).json()["scope"] == "tool:write"
    waiting = agreed.code()
    limit(agreed.connection.user, "")
    assert agreed.redeem(waiting).json()["error"] == "invalid_grant"


@pytest.fixture
def agreed(make_world: Any) -> Agreed:
    """A client with everything it may have."""
    found: Agreed = make_world()
    return found
