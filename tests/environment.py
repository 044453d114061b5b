"""The environment of the test run, set before Django's settings are read: `-p tests.environment` in pyproject.toml.

Nothing of the developer's shell reaches the settings. Without services everything is embedded, as in `make run`;
`TEST_DATABASE_URL` and `TEST_REDIS_URL` put the same suite on PostgreSQL and Redis.
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
        if source in os.environ:
            os.environ[name] = os.environ[source]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    del config
    shutil.rmtree(DATA_DIR, ignore_errors=True)


set_environment()
