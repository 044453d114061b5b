"""A client, a person who is signed in, and no rates: thousands of requests come from one address."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import override_settings

from tests.agreed import World, make_client, make_world, world

__all__ = ["make_client", "make_world", "world"]


@pytest.fixture(autouse=True)
def no_rates() -> Iterator[None]:
    """What is asked here is not how often."""
    with override_settings(OAUTH_RATES=dict.fromkeys(settings.OAUTH_RATES, "9999999/d"), AXES_ENABLED=False):
        yield


@pytest.fixture
def signed_in(make_world: Callable[..., World]) -> World:
    """A public client, and its person's browser."""
    found = make_world(client_type="public", redirect_uris="https://client.example/callback http://127.0.0.1/cb")
    found.browser.force_login(found.connection.user, backend="django.contrib.auth.backends.ModelBackend")
    return found
