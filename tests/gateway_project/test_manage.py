"""What `manage.py` assumes when nothing is configured, and what it never assumes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.server import ROOT, environment


def manage(data_dir: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command under these variables alone."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(DATA_DIR=str(data_dir), **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_clone_is_a_developers(tmp_path: Path) -> None:
    assert manage(tmp_path, "check").returncode == 0
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
    done = manage(tmp_path, "check", **variables)
    assert done.returncode == 1
    for name in {"SECRET_KEY", "ENCRYPTION_KEYS"} - set(variables):
        assert f"  {name}: required" in done.stderr
    assert not (tmp_path / "secret_key").exists()


def test_who_interrupts_is_not_told_where(tmp_path: Path) -> None:
    done = manage(tmp_path, "shell", "-c", "raise KeyboardInterrupt")
    assert done.returncode == 130
    assert done.stderr == ""
