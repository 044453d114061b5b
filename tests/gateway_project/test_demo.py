"""`manage.py demo`, as a newcomer runs it: two processes that start together and end together."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.gateway_project.processes import wait_until
from tests.journeys.server import ROOT, environment, free_port, manage, running_demo


def variables(data_dir: Path, port: int) -> dict[str, str]:
    """Where to keep everything, and where to listen."""
    return {"DATA_DIR": str(data_dir), "PORT": str(port)}


def answers(url: str) -> bool:
    """Whether somebody answers there."""
    try:
        httpx.get(url, timeout=2)
    except httpx.TransportError:
        return False
    return True


def test_without_serve_it_prepares_prints_and_ends(tmp_path: Path) -> None:
    manage("demo", variables=variables(tmp_path, 8000))
    before = (tmp_path / "demo.json").read_text()
    printed = manage("demo", variables=variables(tmp_path, 8000))
    facts = json.loads((tmp_path / "demo.json").read_text())
    secrets = [facts["staff"]["password"], facts["clients"]["gpt"]["client_secret"], facts["api_key"]]
    assert all(secret in printed and secret in before for secret in secrets)
    assert facts["staff"]["url"] in printed
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600


def test_ctrl_c_ends_the_gateway_and_its_backends(prepared: Path) -> None:
    with running_demo(prepared) as demo:
        backend = demo.facts["backends"]["echo"]["upstream"]
        assert answers(backend)
        os.kill(demo.server.process.pid, signal.SIGINT)
        assert demo.server.process.wait(30) == 0
        assert not answers(backend)
        assert not answers(f"{demo.issuer}/healthz")


def test_backends_do_not_outlive_a_gateway_that_was_killed(prepared: Path) -> None:
    with running_demo(prepared) as demo:
        backend = demo.facts["backends"]["echo"]["upstream"]
        demo.server.process.kill()
        demo.server.process.wait(30)
        wait_until(lambda: not answers(backend))


@pytest.mark.parametrize("offset", [0, 1])
def test_a_taken_port_is_named_before_anything_is_done(tmp_path: Path, offset: int) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port + offset)):
        done = subprocess.run(
            [sys.executable, "manage.py", "demo", "--serve"],
            cwd=ROOT,
            env=environment(**variables(tmp_path, port)),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert f"127.0.0.1:{port + offset} cannot be listened on" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "demo.json").exists()


def test_no_worker_outlives_a_gateway_that_was_killed(prepared: Path) -> None:
    with running_demo(prepared) as demo:
        demo.server.process.kill()
        wait_until(lambda: not answers(f"{demo.issuer}/healthz"))
