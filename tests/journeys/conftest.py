"""One gateway and one signed-in browser per person for all journeys.

The rates of authorization are raised: a whole suite from one address in a minute is no person.
"""

from collections.abc import Iterator

import httpx
import pytest

from tests.journeys import steps
from tests.journeys.pages import Browser
from tests.journeys.server import Demo, free_port, running_demo
from tests.journeys.stores import services


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The gateway with demo data, really started."""
    data_dir = tmp_path_factory.mktemp("journeys")
    rates = {"OAUTH_RATES": "signin=600/m,authorize=6000/m,token=6000/m"}
    with services() as variables, running_demo(data_dir, port=free_port(), **variables, **rates) as started:
        yield started


@pytest.fixture(scope="session")
def ana(demo: Demo) -> Iterator[Browser]:
    """The browser ana is signed in with."""
    with Browser(demo.issuer) as browser:
        steps.sign_in(browser, demo.user("ana"))
        yield browser


@pytest.fixture(scope="session")
def bruno(demo: Demo) -> Iterator[Browser]:
    """The browser bruno is signed in with."""
    with Browser(demo.issuer) as browser:
        steps.sign_in(browser, demo.user("bruno"))
        yield browser


@pytest.fixture(scope="session")
def staff(demo: Demo) -> Iterator[Browser]:
    """The browser a member of staff is signed in to the admin with."""
    with Browser(demo.issuer) as browser:
        steps.sign_in(browser, demo.facts["staff"], path="/admin/login/?next=/admin/")
        yield browser


@pytest.fixture(scope="module")
def manage(demo: Demo) -> Iterator[httpx.Client]:
    """The management API, by HTTP Basic."""
    staff = demo.facts["staff"]
    url = f"{demo.issuer}/api/manage/v1/"
    with httpx.Client(base_url=url, auth=(staff["username"], staff["password"]), timeout=20) as client:
        yield client
