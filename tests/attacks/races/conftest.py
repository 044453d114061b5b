"""A client, a person and what they agreed on; the requests come faster than any rate allows."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import override_settings

from tests.agreed import make_client, make_world, world

__all__ = ["make_client", "make_world", "world"]


@pytest.fixture(autouse=True)
def no_rates() -> Iterator[None]:
    """What is asked here is not how often."""
    with override_settings(OAUTH_RATES=dict.fromkeys(settings.OAUTH_RATES, "9999999/d")):
        yield
