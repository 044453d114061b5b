"""`make demo-mcp` and `make demo-gpt`: both ways, against the running demo and against one that is started for them."""

from pathlib import Path

import pytest

from tests.journeys.server import Demo, free_port, manage
from tests.migrated import NAME, copy_sqlite

GPT_STEPS = [
    "1. The OpenAPI document",
    "2. A call before anybody signed in",
    "3. Authorization and consent",
    "4. The code for tokens",
    "5. A call",
    "6. An hour later",
    "7. Disconnected",
]
MCP_STEPS = [
    "1. A message before anybody signed in",
    "2. What is protected, and by whom",
    "3. Where to sign in",
    "4. A client nobody here knew before",
    "5. Authorization and consent",
    "6. The code for tokens",
    "7. Which tools there are",
    "8. A call",
    "9. One permission more",
    "10. An hour later",
    "11. Disconnected",
]


def walked(demo: Demo, command: str) -> str:
    """What the command prints of bruno's walk through the running demo."""
    port = demo.issuer.rpartition(":")[2]
    variables = {"DATA_DIR": str(demo.server.log.parent), "PORT": port, "HOST": "127.0.0.1"}
    printed = manage(command, "--user", "bruno", variables=variables)
    assert "not running" not in printed
    assert not [prefix for prefix in ("gh_at_", "gh_rt_", "gh_reg_") if prefix in printed]
    return printed


def test_every_step_of_a_gpt_is_walked_against_the_running_demo(demo: Demo) -> None:
    printed = walked(demo, "demo_gpt")
    assert [line for line in printed.splitlines() if line in GPT_STEPS] == GPT_STEPS
    assert "bruno signs in and allows: " in printed
    assert "the next call: 401 invalid_token" in printed
    assert demo.client("gpt")["client_secret"] not in printed


def test_every_step_of_an_mcp_client_is_walked_against_the_running_demo(demo: Demo) -> None:
    printed = walked(demo, "demo_mcp")
    assert [line for line in printed.splitlines() if line in MCP_STEPS] == MCP_STEPS
    assert "bruno signs in, unticks resume:read and allows: " in printed
    assert "resources/read ui://careers/job-list.html: text/html;profile=mcp-app, 14 KiB" in printed
    assert "tools/call analyzeResume: 403 insufficient_scope" in printed
    assert "tools/call analyzeResume: 200, fits Backend engineer, Python" in printed
    assert "the next call: 401 invalid_token" in printed


def test_another_program_in_the_place_of_the_demo_is_told_from_it(demo: Demo, tmp_path: Path) -> None:
    variables = {"DATA_DIR": str(tmp_path), "PORT": demo.issuer.rpartition(":")[2], "HOST": "127.0.0.1"}
    with pytest.raises(AssertionError, match=r"has no demo\.json of http://127.*: is DATA_DIR the demo's\?"):
        manage("demo_mcp", variables=variables)


@pytest.mark.services  # two starts of a server: on the build server, not before every commit
def test_a_demo_that_is_not_running_is_started_and_stopped(tmp_path_factory: pytest.TempPathFactory) -> None:
    port, data_dir = free_port(), tmp_path_factory.mktemp("walk")
    copy_sqlite(data_dir / NAME)
    variables = {"DATA_DIR": str(data_dir), "PORT": str(port), "HOST": "127.0.0.1"}
    for command, last in (("demo_gpt", GPT_STEPS[-1]), ("demo_mcp", MCP_STEPS[-1])):
        printed = manage(command, variables=variables)
        assert "starting it" in printed
        assert last in printed
