"""A gateway of its own for each kind of evidence."""

from collections.abc import Iterator

import pytest

from tests.attacks.gateway.field import Field
from tests.attacks.gateway.gateways import ours


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """The gateway, and its backend of bytes."""
    with ours(tmp_path_factory.mktemp("evidence")) as started:
        yield started
