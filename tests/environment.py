"""The environment of the test run, set before Django's settings are read: `-p tests.environment` in pyproject.toml.

Nothing of the developer's shell reaches the settings. Without services everything is embedded, as in `make run`;
`TEST_DATABASE_URL` and `TEST_REDIS_URL` put the same suite on PostgreSQL and Redis. Tests for which this machine
lacks something are left out, and the first lines of the run say so.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from gateway_project.environment import Environment

SERVICES = {"DATABASE_URL": "TEST_DATABASE_URL", "REDIS_URL": "TEST_REDIS_URL"}
DATA_DIR = Path(tempfile.mkdtemp(prefix="gatehouse-tests-"))


def set_environment() -> None:
    """Replace every variable the product reads by the test run's own."""
    for name in list(os.environ):
        if name in Environment.model_fields or name.endswith("_SERVICE_URL"):
            del os.environ[name]
    os.environ["DATA_DIR"] = str(DATA_DIR)
    # Keys are made in DATA_DIR, static files found one by one; Django's own DEBUG is off in every test
    os.environ["DEBUG"] = "1"
    for name, source in SERVICES.items():
        if os.environ.get(source):
            os.environ[name] = os.environ[source]


def chromium() -> str | None:
    """The path of a Chromium: `CHROMIUM`, or one on the path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def lacking() -> dict[str, str]:
    """The markers of tests that cannot run here, and what they lack."""
    reasons = {}
    if not all(os.environ.get(source) for source in SERVICES.values()):
        reasons["services"] = " and ".join(SERVICES.values())
    if not chromium():
        reasons["browser"] = "Chromium"
    return reasons


def pytest_report_header() -> list[str]:
    """What is left out, and why."""
    return [f"left out: {marker} tests (no {what})" for marker, what in lacking().items()]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave it out."""
    markers = lacking()
    left_out = [item for item in items if any(item.get_closest_marker(marker) for marker in markers)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    del config
    shutil.rmtree(DATA_DIR, ignore_errors=True)


set_environment()
