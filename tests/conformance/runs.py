"""The suite's runs: at each server, in each revision, and of those only the scenarios the server is there for."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.attacks.servers import gatehouse
from tests.attacks.target import READ, WRITE, Target
from tests.conformance.authorization import judge_authorization
from tests.conformance.bearer import with_bearer
from tests.conformance.fixture.running import running_fixture
from tests.conformance.suite import LEGACY, MODERN, Outcome, judge, scenarios
from tests.journeys.server import ROOT, environment

REVISIONS: Final = (LEGACY, MODERN)
AUTHORIZATION, TOOLS = "the authorization server", "`/mcp`"
DIRECT, BEHIND = "the fixture itself", "the fixture behind the gateway"
SUBJECTS: Final = (TOOLS, DIRECT, BEHIND)
# What the suite asks of any server; all else it asks of tools, prompts and resources that it knows by name
OF_ANY: Final = {
    "server-initialize",
    "ping",
    "tools-list",
    "dns-rebinding-protection",
    "server-session-lifecycle",
    "server-sse-multiple-streams",
    "server-stateless",
    "sep-2164-resource-not-found",
    "caching",
    "http-header-validation",
    "input-required-result-unsupported-methods",
}
# Nobody needs an extension to conform, and neither the gateway nor the fixture has this one
LEFT_OUT: Final = "extension"


@dataclass(frozen=True, slots=True)
class Run:
    """What the suite says of one server in one revision ("" where it makes no difference), by scenario."""

    subject: str
    revision: str
    outcomes: Mapping[str, Outcome]


@contextmanager
def signed_in(gateway: Target, fixture: str) -> Iterator[dict[tuple[str, str], str]]:
    """Where the suite finds what the gateway has, the fixture included: each address with a token of ana's."""
    command = [sys.executable, "-m", "tests.conformance.federate", f"{fixture}/mcp"]
    subprocess.run(command, cwd=ROOT, env=environment(**gateway.variables), check=True, timeout=120)
    with ExitStack() as proxies:

        def at(path: str) -> str:
            scope, resource = f"{READ} {WRITE}", f"{gateway.origin}{path}"
            token = gateway.pair("C", scope=scope, resource=resource)["access_token"]
            return f"{proxies.enter_context(with_bearer(gateway.origin, token))}{path}"

        tools, behind = at("/mcp"), at("/mcp/fixture")
        yield {
            **{(TOOLS, revision): tools for revision in REVISIONS},
            **{(BEHIND, revision): behind for revision in REVISIONS},
        }


def expected(subject: str, revision: str) -> set[str]:
    """The scenarios of a run."""
    wanted = {name for name, kind in scenarios(revision).items() if kind != LEFT_OUT}
    return wanted & OF_ANY if subject == TOOLS else wanted


def observe(folder: Path) -> list[Run]:
    """Start everything and run the suite at it."""
    with (
        gatehouse(folder / "gateway") as gateway,
        running_fixture(folder / "fixture.log") as fixture,
        signed_in(gateway, fixture) as addresses,
    ):
        runs = [Run(AUTHORIZATION, "", judge_authorization(gateway, folder / "authorization"))]
        direct = {(DIRECT, revision): f"{fixture}/mcp" for revision in REVISIONS}
        return [*runs, *judged(addresses | direct, folder)]


def judged(addresses: Mapping[tuple[str, str], str], folder: Path) -> Iterator[Run]:
    """What the suite says of each subject in a revision at its address."""
    # The suite mostly waits, so that two at once take the time of one
    with ThreadPoolExecutor(2) as pool:
        at_once = {
            run: pool.submit(judge, address, run[1], folder / str(number))
            for number, (run, address) in enumerate(addresses.items())
        }
    for (subject, revision), found in at_once.items():
        wanted = expected(subject, revision)
        yield Run(subject, revision, {name: one for name, one in found.result().items() if name in wanted})
