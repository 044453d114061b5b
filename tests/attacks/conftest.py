"""A gateway of their own for the attacks, so that what they use up is missed by nobody."""

from collections.abc import Iterator

import pytest

from tests.journeys import steps
from tests.journeys.pages import Browser
from tests.journeys.server import Demo, running_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The gateway with demo data, its limits wide enough for a table of attacks."""
    with running_demo(tmp_path_factory.mktemp("attacks"), RATE_LIMIT_MAX="5000") as started:
        yield started


@pytest.fixture(scope="session")
def tokens(demo: Demo) -> steps.Tokens:
    """Tokens ana gave a public client for the echo backend."""
    with Browser(demo.issuer) as ana:
        steps.sign_in(ana, demo.user("ana"))
        return steps.connect_desktop_app(demo, ana)
