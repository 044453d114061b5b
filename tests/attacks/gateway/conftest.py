"""The two gateways, each started once."""

from collections.abc import Iterator

import pytest

import tests.attacks.gateway.rows  # noqa: F401 - fills the table
from tests.attacks.gateway.field import Field
from tests.attacks.gateway.gateways import naive, ours
from tests.attacks.gateway.table import SERVERS


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """Our gateway."""
    with ours(tmp_path_factory.mktemp("gateway")) as started:
        yield started


@pytest.fixture(scope="session", params=SERVERS)
def naive_field(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """The naive proxy, on either HTTP server."""
    with naive(tmp_path_factory.mktemp("naive"), server=request.param) as started:
        yield started
