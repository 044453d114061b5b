"""A gateway for real clients, and what such a client is told about it."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.attacks.servers import gatehouse
from tests.attacks.target import Target

addresses = count()


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The gateway, really started; clients from npm all come from one address, and each registers."""
    with gatehouse(tmp_path_factory.mktemp("clients"), OAUTH_RATES="register=1000/m,register_hourly=10000/h") as target:
        yield target


@pytest.fixture
def server(started: Target) -> Target:
    """The gateway, as a person at an address of this test's own uses it."""
    return started.from_address(next(addresses))
