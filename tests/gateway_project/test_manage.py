"""What `manage.py` assumes when nothing is configured, and what it never assumes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.server import ROOT, environment


def check(data_dir: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py check` under these variables alone."""
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=environment(DATA_DIR=str(data_dir), **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_clone_is_a_developers(tmp_path: Path) -> None:
    assert check(tmp_path).returncode == 0
    assert (tmp_path / "secret_key").exists()


@pytest.mark.parametrize(
    "variables",
    [
        {"SECRET_KEY": "s" * 60},
        {"DATABASE_URL": "postgresql://127.0.0.1:5432/gatehouse"},
        {"DEBUG": "0"},
    ],
)
def test_a_deployment_is_complete_or_refused(tmp_path: Path, variables: dict[str, str]) -> None:
    done = check(tmp_path, **variables)
    assert done.returncode == 1
    for name in {"SECRET_KEY", "ENCRYPTION_KEYS"} - set(variables):
        assert f"  {name}: required" in done.stderr
    assert not (tmp_path / "secret_key").exists()
