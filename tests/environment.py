"""The environment of the test run, set before Django's settings are read: `-p tests.environment` in pyproject.toml.

Nothing of the developer's shell reaches the settings. Without services everything is embedded, as in `make run`;
`TEST_DATABASE_URL` and `TEST_REDIS_URL` put what has a store on PostgreSQL and Redis, and leave out what has none.
Tests for which this machine lacks something are left out, and the first lines of the run say so.
"""

import gc
import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit, urlunsplit

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from gateway_project.environment import Environment
from tests.migrated import drop_template

SERVICES = ("TEST_DATABASE_URL", "TEST_REDIS_URL")
NODE_MODULES = Path(__file__).parent / "clients" / "node" / "node_modules"
# Folders whose tests share one started gateway, but for these files
ONE_GATEWAY = {
    "tests/attacks",
    "tests/attacks/gateway",
    "tests/clients",
    "tests/conformance",
    "tests/evidence",
    "tests/journeys",
    "tests/sign_in",
}
OWN_GATEWAY = {
    "tests/clients/test_backends_guide.py",
    "tests/evidence/test_overload.py",
    "tests/evidence/test_stores_fail.py",
    "tests/journeys/test_drain.py",
    "tests/journeys/test_metrics.py",
    "tests/journeys/test_one_effect.py",
    "tests/journeys/test_openapi_document.py",
    "tests/journeys/test_pages_accessibility.py",
    "tests/journeys/test_replicas.py",
    "tests/journeys/test_restart.py",
}
# What touches no store, or starts gateways on the embedded ones whatever the suite has: not done again on services
EMBEDDED = {
    "tests/architecture",
    "tests/gateway_project/test_demo.py",
    "tests/gateway_project/test_job_list.py",
    "tests/gateway_project/test_manage.py",
    "tests/gateway_project/test_runserver.py",
    "tests/proxy/upstream",
}
# What one process runs for a minute and more, begun before anything else so that no process waits for the last of it
LONGEST = (
    "tests/attacks/generated/test_requests.py",
    "tests/journeys",
    "tests/conformance",
    "tests/evidence/test_stores_fail.py",
    "tests/journeys/test_pages_accessibility.py",
    "tests/attacks",
    "tests/clients",
)
DATA_DIR = Path(tempfile.mkdtemp(prefix="gatehouse-tests-"))


def set_environment() -> None:
    """Replace every variable the product reads by the test run's own."""
    for name in list(os.environ):
        if name in Environment.model_fields or name.endswith("_SERVICE_URL"):
            del os.environ[name]
    os.environ["DATA_DIR"] = str(DATA_DIR)
    # Keys are made in DATA_DIR, static files found one by one; Django's own DEBUG is off in every test
    os.environ["DEBUG"] = "1"
    if os.environ.get("TEST_DATABASE_URL"):
        os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
    if os.environ.get("TEST_REDIS_URL"):
        os.environ["REDIS_URL"] = own_redis(os.environ["TEST_REDIS_URL"])


def own_redis(url: str) -> str:
    """The database of this process: the one named, or one below it for every further process of the run."""
    parts = urlsplit(url)
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return urlunsplit(parts._replace(path=f"/{int(parts.path.strip('/') or 0) - process}"))


def chromium() -> str | None:
    """The path of a Chromium: `CHROMIUM`, or one on the path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def node() -> str:
    """The path of a Node: the one that came with the clients from npm, or one on the path."""
    own = NODE_MODULES / ".bin" / "node"
    return str(own) if own.exists() else str(shutil.which("node"))


def lacking() -> dict[str, str]:
    """The markers of tests that cannot run here, and what they lack."""
    reasons = {}
    if not all(os.environ.get(source) for source in SERVICES):
        reasons["services"] = " and ".join(SERVICES)
    if not chromium():
        reasons["browser"] = "Chromium"
    if not NODE_MODULES.is_dir():
        reasons["node"] = "npm, which installs what they need"
    return reasons


def pytest_report_header() -> list[str]:
    """What is left out, and why."""
    reasons = lacking()
    left_out = [f"left out: {marker} tests (no {what})" for marker, what in reasons.items()]
    return left_out if "services" in reasons else [*left_out, "left out: what has no store (make test runs it)"]


def pytest_collection() -> None:
    """Nothing that is made while tests are collected goes away: looking for garbage again and again takes a third."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Tests leave garbage; those that wait their turn are none."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave it out; the longest come first."""
    markers = lacking()
    left_out = [
        item for item in items
        if any(map(item.get_closest_marker, markers)) or ("services" not in markers and _is_embedded(item.nodeid))
    ]  # fmt: skip
    gone = set(left_out)
    items[:] = sorted((item for item in items if item not in gone), key=lambda item: _place(_scope(item.nodeid)))
    config.hook.pytest_deselected(items=left_out)


def _is_embedded(nodeid: str) -> bool:
    file = PurePosixPath(nodeid.partition("::")[0])
    return not EMBEDDED.isdisjoint(map(str, (file, file.parent)))


def _scope(nodeid: str) -> str:
    file = PurePosixPath(nodeid.partition("::")[0])
    return str(file.parent if str(file.parent) in ONE_GATEWAY and str(file) not in OWN_GATEWAY else file)


def _place(scope: str) -> int:
    if scope in LONGEST:
        return LONGEST.index(scope)
    return len(LONGEST) + (scope not in ONE_GATEWAY | OWN_GATEWAY)


class ByGateway(LoadScopeScheduling):
    """A process runs a whole file, or a whole folder where its tests share a started gateway.

    The `xdist_group` marks that xdist has for this are lost on pytest 9.2, without a word.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByGateway:
    """How tests are dealt out to processes: in the order they come in, or xdist begins with the most instead."""
    config.option.loadscopereorder = False
    return ByGateway(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    shutil.rmtree(DATA_DIR, ignore_errors=True)
    server = os.environ.get("TEST_DATABASE_URL")
    if server and not hasattr(config, "workerinput"):
        drop_template(server)


set_environment()
