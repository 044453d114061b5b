"""Gateways of their own for the attacks, so that what they use up is missed by nobody."""

from collections.abc import Iterator

import pytest

from tests.attacks.servers import gatehouse
from tests.attacks.target import Target
from tests.journeys import steps
from tests.journeys.pages import Browser
from tests.journeys.server import Demo, free_port, running_demo
from tests.journeys.stores import services


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The gateway with demo data, its limits wide enough for a table of attacks."""
    data_dir, port = tmp_path_factory.mktemp("attacks"), free_port()
    with services() as variables, running_demo(data_dir, port=port, RATE_LIMIT_MAX="5000", **variables) as started:
        yield started


@pytest.fixture(scope="session")
def tokens(demo: Demo) -> steps.Tokens:
    """Tokens ana gave a public client for the echo backend."""
    with Browser(demo.issuer) as ana:
        steps.sign_in(ana, demo.user("ana"))
        return steps.connect_desktop_app(demo, ana)


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The gateway that the table of attacks is run against; its stored time moves on."""
    with gatehouse(tmp_path_factory.mktemp("rows")) as started:
        yield started
