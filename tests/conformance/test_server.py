"""`@modelcontextprotocol/conformance server`: the MCP project's own judgement of `/mcp`, in both eras."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attacks.servers import gatehouse
from tests.attacks.target import Target
from tests.conformance.test_authorization import SUITE
from tests.environment import NODE_MODULES, node
from tests.journeys.server import environment, free_port

BEARER = NODE_MODULES.parent / "with-bearer.mjs"
LEGACY, MODERN = "2025-11-25", "2026-07-28"
# Those that need no tool, prompt or resource of the suite's own
SCENARIOS = [
    (LEGACY, "server-initialize"),
    (LEGACY, "ping"),
    (LEGACY, "tools-list"),
    (LEGACY, "dns-rebinding-protection"),
    (LEGACY, "server-session-lifecycle"),
    (MODERN, "tools-list"),
    (MODERN, "dns-rebinding-protection"),
    (MODERN, "server-stateless"),
    (MODERN, "http-header-validation"),
    (MODERN, "caching"),
]
# Checks of those that do need one after all: diagnostic tools, prompts and resources, of which `/mcp` has none
NEEDING_MORE = {
    "sep-2575-server-rejects-undeclared-capability",
    "sep-2575-missing-capability-http-400",
    "sep-2575-http-server-no-independent-requests-on-stream",
    "sep-2575-server-no-log-without-loglevel",
    "sep-2549-prompts-list-caching-hints",
    "sep-2549-resources-list-caching-hints",
    "sep-2549-resources-templates-list-caching-hints",
}

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The gateway, really started."""
    with gatehouse(tmp_path_factory.mktemp("server")) as target:
        yield target


@pytest.fixture(scope="module")
def judged(server: Target) -> Iterator[str]:
    """The address at which the suite finds `/mcp`, already signed in."""
    resource = f"{server.origin}/mcp"
    token = server.pair("C", scope="tool:read tool:write", resource=resource)["access_token"]
    with with_bearer(server.origin, token) as origin:
        yield f"{origin}/mcp"


@contextmanager
def with_bearer(origin: str, token: str) -> Iterator[str]:
    """The same server at another port, where every request carries the token."""
    port = free_port()
    given = json.dumps({"origin": origin, "token": token, "port": port})
    process = subprocess.Popen([node(), str(BEARER)], env=environment(GIVEN=given), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline().strip() == "listening"
        yield f"http://localhost:{port}"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("revision", "scenario"), SCENARIOS)
def test_every_check_passes(judged: str, tmp_path: Path, revision: str, scenario: str) -> None:
    command = [
        *(node(), str(SUITE), "server", "--url", judged, "--scenario", scenario),
        *("--spec-version", revision, "-o", str(tmp_path)),
    ]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=120)
    checks = [check for file in tmp_path.rglob("checks.json") for check in json.loads(file.read_text())]
    assert checks, done.stdout
    failed = {check["id"] for check in checks if check["status"] not in {"SUCCESS", "SKIPPED", "INFO"}}
    assert failed <= NEEDING_MORE, done.stdout
