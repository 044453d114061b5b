"""`@modelcontextprotocol/conformance authorization`: the MCP project's own judgement of this authorization server."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.servers import gatehouse
from tests.attacks.target import Target
from tests.environment import NODE_MODULES, node
from tests.journeys.server import environment, free_port

SUITE = (NODE_MODULES / ".bin" / "conformance").resolve()

pytestmark = pytest.mark.node


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Target]:
    """The gateway, really started."""
    with gatehouse(tmp_path) as target:
        yield target


def test_every_check_passes(server: Target, tmp_path: Path) -> None:
    port = free_port()
    # A desktop client, free in its port: where the metadata lists `none`, the suite is a public client
    command = [
        *(node(), str(SUITE), "authorization"),
        *("--url", server.issuer, "--client-id", server.clients["P"].client_id),
        *("--resource", server.resource, "-p", str(port), "-o", str(tmp_path / "results")),
    ]
    process = subprocess.Popen(
        command,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = told(process, server)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, said
    checks = [check for file in (tmp_path / "results").rglob("checks.json") for check in json.loads(file.read_text())]
    assert len(checks) == 3, said
    assert {check["status"] for check in checks} == {"SUCCESS"}, said


def told(process: subprocess.Popen[str], server: Target) -> str:
    """What the suite says, the person playing their part when it prints the address to open."""
    said = ""
    assert process.stdout
    for line in process.stdout:
        said += line
        if asked := re.search(rf"{re.escape(server.issuer)}/oauth/authorize\?\S+", line):
            browser = server.person()
            page = server.decide(browser, browser.open(asked.group()))
            browser.follow(page)
    process.wait(60)
    return said
