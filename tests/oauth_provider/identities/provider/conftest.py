"""A company whose people sign in with its provider."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.oauth_provider.authorize.conftest import world as asking
from tests.oauth_provider.identities.provider.company import CLIENT_ID, CLIENT_SECRET, Provider, running

__all__ = ["asking", "provider"]


@pytest.fixture
def provider(db: None, settings: Settings) -> Iterator[Provider]:
    """The provider, running, and the gateway told of it."""
    del db
    with running() as found:
        settings.SIGN_IN_ISSUER = found.issuer
        settings.SIGN_IN_CLIENT_ID = CLIENT_ID
        settings.SIGN_IN_CLIENT_SECRET = CLIENT_SECRET
        settings.SIGN_IN_NAME = "Acme"
        yield found
