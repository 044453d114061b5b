"""Ana, signed in, and a client of hers that staff let connect devices."""

import pytest

from oauth_provider.identities.models import Identity
from oauth_provider.scopes.openid import add_openid_scopes
from tests.oauth_provider.authorize.conftest import world as authorize
from tests.oauth_provider.authorize.world import World
from tests.oauth_provider.device.device import Device

__all__ = ["authorize"]


@pytest.fixture
def world(authorize: World) -> World:
    """The desk assistant may connect devices."""
    add_openid_scopes()
    authorize.public.device_grant_allowed = True
    authorize.public.save()
    Identity.objects.create(user=authorize.ana, external_id="user_2abc")
    return authorize


@pytest.fixture
def device(world: World) -> Device:
    """One without a browser."""
    return Device(world)
