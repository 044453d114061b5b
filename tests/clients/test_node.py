"""oauth4webapi and openid-client, from npm, against the running gateway.

Each script under `node/` plays a client and asserts what its library tells it; the person's browser is played here.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.signer import KEY
from tests.attacks.target import Person, Target
from tests.environment import node
from tests.journeys.server import environment

SCRIPTS = Path(__file__).parent / "node"
# Proof and the client that has it: A is public, C confidential, K signs, which one script can do
PROOFS = {"none": "A", "basic": "C", "post": "C"}
PROVEN = {**PROOFS, "private_key_jwt": "K"}
SCRIPTS_OF_ALL = ("oauth4webapi.mjs", "openid-client.mjs", "registration.mjs")
# What every run plays; the other pairs take minutes, and run with services
QUICK = (("oauth4webapi.mjs", "none"), ("openid-client.mjs", "basic"), ("registration.mjs", "post"))
REST = [
    *(pair for pair in product(SCRIPTS_OF_ALL, PROOFS) if pair not in QUICK),
    ("oauth4webapi.mjs", "private_key_jwt"),
]

pytestmark = pytest.mark.node


@pytest.mark.parametrize(
    ("script", "proof"), [*QUICK, *(pytest.param(*pair, marks=pytest.mark.services) for pair in REST)]
)
def test_the_whole_life_of_a_grant(server: Target, script: str, proof: str) -> None:
    client, resource_server = server.clients[PROVEN[proof]], server.clients["S"]
    given = {
        "issuer": server.issuer,
        "client_id": client.client_id,
        "client_secret": client.secret,
        "redirect_uri": client.redirect_uri,
        "proof": proof,
        "private_jwk": KEY.as_dict(private=True) if proof == "private_key_jwt" else None,
        "resource_server": {"client_id": resource_server.client_id, "client_secret": resource_server.secret},
    }
    with running_script(script, given) as process:
        assert is_played_through(process, server), complaint(process)


@pytest.mark.services
@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("script", ["oauth4webapi-openid.mjs", "openid-client-openid.mjs"])
def test_a_sign_in_and_a_device(server: Target, script: str, proof: str) -> None:
    client = server.clients[PROOFS[proof]]
    given = {
        "issuer": server.issuer,
        "client_id": client.client_id,
        "client_secret": client.secret,
        "redirect_uri": client.redirect_uri,
        "proof": proof,
        "device_client": server.clients["T"].client_id,
        "subject": "user_2abc",
    }
    with running_script(script, given) as process:
        assert is_played_through(process, server), complaint(process)


@pytest.mark.parametrize("sdk", ["v1", "v2"])
def test_a_pasted_url_is_enough_for_the_mcp_projects_sdks(server: Target, sdk: str) -> None:
    with running_script("mcp-host.mjs", {"url": f"{server.origin}/mcp", "sdk": sdk}) as process:
        assert is_played_through(process, server), complaint(process)


@pytest.mark.services
@pytest.mark.parametrize("revision", ["2025-03-26", "2025-06-18", "2025-11-25"])
def test_mcpjam_finds_nothing_wrong_with_the_sign_in(server: Target, revision: str) -> None:
    with running_script("mcpjam.mjs", {"url": f"{server.origin}/mcp", "revision": revision}) as process:
        assert is_played_through(process, server), complaint(process)


@contextmanager
def running_script(script: str, given: Mapping[str, object]) -> Iterator[subprocess.Popen[str]]:
    """A script that runs until the block ends."""
    process = subprocess.Popen(
        [node(), str(SCRIPTS / script)],
        env=environment(GIVEN=json.dumps(given)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def is_played_through(process: subprocess.Popen[str], server: Target) -> bool:
    """Answer every page the client opens; whether it was content in the end."""
    assert process.stdin
    assert process.stdout
    for line in process.stdout:
        said = json.loads(line)
        if said.get("done"):
            return True
        process.stdin.write(f"{ended(server) if said.get('end') else location(server, server.person(), said)}\n")
        process.stdin.flush()
    return False


def ended(server: Target) -> str:
    """End everything the person allowed."""
    person = server.person()
    for path in server.endings(person):
        server.end(person, path)
    return "ended"


def location(server: Target, browser: Person, said: Mapping[str, Any]) -> str:
    """Where a person who decides so ends up; the address of a device's code leads to the same page."""
    page = browser.open(said["url"])
    if any(form.named("user_code") for form in page.forms):
        page = browser.submit(page, page.form_with("user_code"))
    ticked = [("scope", name) for name in said.get("scopes") or ()]
    page = server.decide(browser, page, allow=said["decision"] == "allow", answers=ticked)
    return str(page.response.headers.get("location") or page.response.url)


def complaint(process: subprocess.Popen[str]) -> str:
    """What the client did not like."""
    return process.communicate(timeout=10)[1]
