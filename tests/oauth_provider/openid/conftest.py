"""Ana, signed in, with a name and an address; and clients that ask who she is."""

import pytest

from oauth_provider.identities.models import Identity
from oauth_provider.scopes.openid import add_openid_scopes
from tests.oauth_provider.authorize.conftest import answer, world
from tests.oauth_provider.authorize.world import World

__all__ = ["answer", "world"]


@pytest.fixture(autouse=True)
def openid(world: World) -> None:
    """The four scopes are there, as after a start."""
    add_openid_scopes()
    world.ana.first_name, world.ana.last_name, world.ana.email = "Ana", "Souza", "ana@example.com"
    world.ana.save()
    Identity.objects.create(user=world.ana, external_id="user_2abc", email_verified=True)
