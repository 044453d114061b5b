"""`conformance authorization`: what the suite says of the authorization server, a person playing their part."""

import re
import subprocess
from pathlib import Path

from tests.attacks.target import Target
from tests.conformance.suite import SUITE, Outcome, outcomes
from tests.environment import node
from tests.journeys.server import environment, free_port


def judge_authorization(server: Target, folder: Path) -> dict[str, Outcome]:
    """What the suite says, by scenario; its own files go to `folder`."""
    # A desktop client, free in its port: where the metadata lists `none`, the suite is a public client
    command = [
        *(node(), str(SUITE), "authorization"),
        *("--url", server.issuer, "--client-id", server.clients["P"].client_id),
        *("--resource", server.resource, "-p", str(free_port()), "-o", str(folder)),
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
        _play(process, server)
    finally:
        process.kill()
        process.communicate()
    return outcomes(folder)


def _play(process: subprocess.Popen[str], server: Target) -> None:
    assert process.stdout
    for line in process.stdout:
        if asked := re.search(rf"{re.escape(server.issuer)}/oauth/authorize\?\S+", line):
            browser = server.person()
            page = server.decide(browser, browser.open(asked.group()))
            browser.follow(page)
    process.wait(60)
