"""MCP Inspector from npm, in the terminal: each command is a program of its own, which finds what others kept."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.target import READ, Target
from tests.environment import NODE_MODULES, node
from tests.journeys.server import environment, free_port

PROGRAM = NODE_MODULES / "@modelcontextprotocol" / "inspector" / "clients" / "launcher" / "build" / "index.js"
ASKING = "Please navigate to: "

pytestmark = [pytest.mark.node, pytest.mark.services]


class Terminal:
    """A terminal of one person, whose files are in `folder`."""

    def __init__(self, server: Target, folder: Path) -> None:
        self.server = server
        self.visits = 0
        self._callback = f"http://127.0.0.1:{free_port()}/oauth/callback"
        self._environment = environment(
            # Whatever would open a browser does nothing: the person reads the address, which is printed too
            BROWSER="true",
            HOME=str(folder),
            MCP_AUTO_OPEN_ENABLED="true",
            MCP_INSPECTOR_SECRET_STORE="file",
            PATH=os.environ["PATH"],
        )

    def run(self, method: str, *more: str, scopes: tuple[str, ...] = ()) -> dict[str, Any]:
        """What a command prints; its person allows, with only `scopes` ticked if there are any."""
        arguments = ("--server-url", f"{self.server.origin}/mcp", "--transport", "http", "--format", "json")
        command = [
            node(),
            str(PROGRAM),
            "--cli",
            *arguments,
            "--method",
            method,
            "--callback-url",
            self._callback,
            *more,
        ]
        with subprocess.Popen(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                return self._followed(process, scopes)
            finally:
                process.kill()

    def _followed(self, process: subprocess.Popen[str], scopes: tuple[str, ...]) -> dict[str, Any]:
        assert process.stdout
        assert process.stderr
        said = ""
        for line in process.stderr:
            said = line
            if line.startswith(ASKING):
                self._allow(line.removeprefix(ASKING).strip(), scopes)
        printed = process.stdout.read() or said
        found: dict[str, Any] = json.loads(printed)
        return found

    def _allow(self, url: str, scopes: tuple[str, ...]) -> None:
        self.visits += 1
        person = self.server.person()
        page = self.server.decide(person, person.open(url), answers=[("scope", name) for name in scopes])
        assert person.follow(page).status_code == 200


def test_a_terminal_is_connected_signs_in_again_and_is_ended(server: Target, tmp_path: Path) -> None:
    terminal = Terminal(server, tmp_path)
    listed = terminal.run("tools/list", scopes=(READ,))
    assert [tool["name"] for tool in result(listed)["tools"]] == ["readEcho"]
    write = ("--tool-name", "writeEcho", "--tool-args-json", '{"method": "POST", "body": {"a": 1}}')
    # It calls only what is listed, so that it is never told to ask for more: the person signs in again
    assert terminal.run("tools/call", *write)["error"]["code"] == "tool_not_found"
    assert "isError" not in result(terminal.run("tools/call", *write, "--relogin"))
    assert terminal.visits == 2
    assert "isError" not in result(terminal.run("tools/call", *write, "--stored-auth-only"))
    person = server.person()
    for path in server.endings(person):
        server.end(person, path)
    assert "error" in terminal.run("tools/call", *write, "--stored-auth-only")
    assert terminal.visits == 2


def result(printed: dict[str, Any]) -> dict[str, Any]:
    """What a command got."""
    assert "error" not in printed, printed
    found: dict[str, Any] = printed.get("result", printed)
    return found
