"""Members of staff for the admin's pages, and data for what is tested as processes."""

from pathlib import Path

import pytest

from tests.journeys.server import manage
from tests.migrated import NAME, copy_sqlite
from tests.staff_browser import staff, viewer

__all__ = ["staff", "viewer"]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory after `manage.py demo`, which takes longer than any test that needs it."""
    data_dir = tmp_path_factory.mktemp("prepared")
    copy_sqlite(data_dir / NAME)
    manage("demo", variables={"DATA_DIR": str(data_dir)})
    return data_dir
