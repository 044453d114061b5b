"""mcp-remote from npm, the bridge for hosts that only start programs: it opens a browser, the person's part is here."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.target import READ, Target
from tests.environment import NODE_MODULES, node
from tests.journeys.server import environment

WITHIN_S = 30

pytestmark = [pytest.mark.node, pytest.mark.services]


def test_a_host_that_only_starts_programs_is_connected(server: Target, tmp_path: Path) -> None:
    with running(server, tmp_path) as bridge:
        send(bridge, 1, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=HOST)
        allow(server, opened(tmp_path))
        assert received(bridge, 1)["serverInfo"]["name"] == "gatehouse"
        send(bridge, 2, "tools/list")
        assert "searchJobs" in {tool["name"] for tool in received(bridge, 2)["tools"]}
        send(bridge, 3, "tools/call", name="searchJobs", arguments={"keywords": "python"})
        assert received(bridge, 3)["structuredContent"]["total"] == 4


def test_the_bridge_asks_for_more_is_renewed_and_asks_again_when_it_was_ended(server: Target, tmp_path: Path) -> None:
    with running(server, tmp_path) as bridge:
        send(bridge, 1, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=HOST)
        allow(server, opened(tmp_path), scopes=(READ,))
        received(bridge, 1)
        send(bridge, 2, "tools/list")
        assert [tool["name"] for tool in received(bridge, 2)["tools"]] == ["readEcho"]
        send(bridge, 3, "tools/call", name="writeEcho", arguments={"method": "POST", "body": {"a": 1}})
        allow(server, opened(tmp_path))
        assert "isError" not in received(bridge, 3)
        # As after an hour: what it holds opens nothing any more
        (kept,) = tmp_path.rglob("*_tokens.json")
        kept.write_text(json.dumps(json.loads(kept.read_text()) | {"access_token": "gone"}))
        send(bridge, 4, "tools/list")
        assert received(bridge, 4)["tools"]
        assert json.loads(kept.read_text())["access_token"] != "gone"
        person = server.person()
        for path in server.endings(person):
            server.end(person, path)
        send(bridge, 5, "tools/list")
        allow(server, opened(tmp_path))
        assert received(bridge, 5)["tools"]


HOST = {"name": "host", "version": "1"}


@contextmanager
def running(server: Target, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The bridge, with a browser that writes down what it is to open."""
    browser = folder / "browser"
    browser.write_text(f"#!/bin/sh\nprintf %s \"$1\" > '{folder}/part' && mv '{folder}/part' '{folder}/url'\n")
    browser.chmod(0o700)
    own = {
        "BROWSER": str(browser),
        "HOME": str(folder),
        "MCP_REMOTE_CONFIG_DIR": str(folder),
        "PATH": os.environ["PATH"],
    }
    process = subprocess.Popen(
        [node(), str(NODE_MODULES / "mcp-remote" / "dist" / "proxy.js"), f"{server.origin}/mcp", "--allow-http"],
        env=environment(**own),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        process_group=0,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def opened(folder: Path) -> str:
    """What the browser was told to open."""
    deadline = time.monotonic() + WITHIN_S
    while not (folder / "url").exists():
        assert time.monotonic() < deadline, "no browser was opened"
        time.sleep(0.05)
    url = (folder / "url").read_text()
    (folder / "url").unlink()
    return url


def allow(server: Target, url: str, *, scopes: tuple[str, ...] = ()) -> None:
    """Allow, with only `scopes` ticked if there are any, and go back to where the bridge listens."""
    person = server.person()
    page = server.decide(person, person.open(url), answers=[("scope", name) for name in scopes])
    assert person.follow(page).status_code == 200


def send(bridge: subprocess.Popen[str], number: int, method: str, **params: Any) -> None:
    """One message to the bridge."""
    assert bridge.stdin
    bridge.stdin.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n")
    bridge.stdin.flush()


def received(bridge: subprocess.Popen[str], number: int) -> dict[str, Any]:
    """The result of a message."""
    assert bridge.stdout
    for line in bridge.stdout:
        message = json.loads(line)
        if message.get("id") == number:
            result: dict[str, Any] = message["result"]
            return result
    raise AssertionError("the bridge ended")
