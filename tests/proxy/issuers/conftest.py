"""What the tests of external issuers share."""

from collections.abc import Iterator

import pytest

from tests.management_api import api
from tests.proxy.issuers.idp import Idp, idp
from tests.staff_browser import staff, viewer

__all__ = ["api", "staff", "viewer"]


@pytest.fixture
def outside() -> Iterator[Idp]:
    """Somebody else's authorization server."""
    with idp() as running:
        yield running
