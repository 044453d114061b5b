"""What the tests of external issuers share."""

from collections.abc import Iterator

import pytest

from tests.proxy.issuers.idp import Idp, idp


@pytest.fixture
def outside() -> Iterator[Idp]:
    """Somebody else's authorization server."""
    with idp() as running:
        yield running
