"""A gateway that listens to its identity provider."""

import pytest
from pytest_django import Settings

from tests.oauth_provider.webhooks.identity.sender import Sender, new_secret


@pytest.fixture
def sender(settings: Settings, db: None) -> Sender:
    """The provider, with the newer of two secrets."""
    del db
    newest, oldest = new_secret(), new_secret()
    settings.IDENTITY_WEBHOOK_SECRETS = [newest, oldest]
    return Sender(newest)
