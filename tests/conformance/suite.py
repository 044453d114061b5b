"""`@modelcontextprotocol/conformance`, the MCP project's own suite: what it asks for, and what it says of a server."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.environment import NODE_MODULES, node
from tests.journeys.server import environment

LEGACY, MODERN = "2025-11-25", "2026-07-28"
PACKAGE: Final = NODE_MODULES / "@modelcontextprotocol" / "conformance"
SUITE: Final = PACKAGE / "dist" / "index.js"
REQUIRED: Final = "required"
# A scenario's results are in a folder with its name and the time in it
_FOLDER: Final = re.compile(r"(?:authorization-server-|server-)(.+)-\d{4}-\d\d-\d\dT[\d-]+Z")
# What it only writes down of the exchange
_TRACES: Final = {"outgoing-request", "incoming-response", "incoming-sse-event", "stream-closed"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the suite says of one scenario.

    `not_passed` and `not_applicable` are ids of checks with what the suite said; an id that the suite used several
    times counts once there, by its first word.
    """

    passed: int
    not_passed: Mapping[str, str]
    not_applicable: Mapping[str, str]


def version() -> str:
    """The version that is installed."""
    found: str = json.loads((PACKAGE / "package.json").read_text())["version"]
    return found


def scenarios(revision: str) -> dict[str, str]:
    """What a revision asks of a server: each scenario with its kind, `required` for those that are scored."""
    wanted = yaml.safe_load((PACKAGE / "requirements" / f"{revision}.yaml").read_text())
    more = {entry["scenario"]: entry["reason"] for entry in wanted["not_scored"] if entry["leg"] == "server"}
    return dict.fromkeys(wanted["server"], REQUIRED) | more


def judge(url: str, revision: str, folder: Path) -> dict[str, Outcome]:
    """What the suite says of the server at `url`, by scenario; its own files go to `folder`."""
    _run("server", "--url", url, "--requirements", revision, "-o", str(folder))
    return outcomes(folder)


def outcomes(folder: Path) -> dict[str, Outcome]:
    """What the suite's files in `folder` say, by scenario."""
    found = {}
    for file in folder.rglob("checks.json"):
        named = _FOLDER.fullmatch(file.parent.name)
        assert named, file
        found[named[1]] = _outcome(json.loads(file.read_text()))
    return found


def _outcome(checks: list[dict[str, Any]]) -> Outcome:
    said = Counter(check["status"] for check in checks)
    return Outcome(
        passed=said["SUCCESS"],
        not_passed=_words(checks, {"FAILURE", "WARNING"}),
        not_applicable=_words(checks, {"SKIPPED", "INFO"}),
    )


def _words(checks: list[dict[str, Any]], statuses: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for check in checks:
        if check["status"] in statuses and check["id"] not in _TRACES:
            found.setdefault(check["id"], check.get("errorMessage") or check.get("description") or "")
    return dict(sorted(found.items()))


def _run(*arguments: str) -> str:
    done = subprocess.run(
        [node(), str(SUITE), *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        # It fails when one check fails
        check=False,
        timeout=300,
    )
    return done.stdout
