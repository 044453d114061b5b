"""What a call of a tool costs beside the same call over REST: the server's processor time, not the clock's.

The two take turns on one connection each, so that whatever else the machine does meets both.
"""

import json
import subprocess
import sys
from collections.abc import Callable

import httpx

from bench.servers import Gateway, processor_s
from tests.attacks.servers import CLIENTS
from tests.journeys.server import ROOT, environment

CALLS, BATCH = 2_000, 100
# What the design asks for at most
TARGET = 1.5
PATH, QUERY = "jobs/search", {"keywords": "nurse", "city": "Recife"}
RESOURCES = {"REST call": "/api/v1/echo", "tool call": "/mcp"}


def compare(gateway: Gateway) -> None:
    """Measure and print, the ratio first."""
    secrets = _register(gateway)
    with httpx.Client(base_url=gateway.issuer) as rest, httpx.Client(base_url=gateway.issuer) as mcp:
        for client, name in ((rest, "REST call"), (mcp, "tool call")):
            client.headers["authorization"] = f"Bearer {_token(client, gateway.issuer, name, secrets[name])}"
        mcp.headers["mcp-protocol-version"] = "2025-11-25"
        spent = _spent(
            gateway.group, {"REST call": lambda: _call_operation(rest), "tool call": lambda: _call_tool(mcp)}
        )
    print(f"\ntool call / REST call        {spent['tool call'] / spent['REST call']:.2f}   (target {TARGET} at most)")
    print("  ".join(f"{name} {seconds / CALLS * 1000:.2f} ms CPU" for name, seconds in spent.items()))


def _spent(group: int, calls: dict[str, Callable[[], None]]) -> dict[str, float]:
    spent = dict.fromkeys(calls, 0.0)
    for number in range(1 + CALLS // BATCH):
        for name, call in calls.items():
            before = processor_s(group)
            for _ in range(BATCH):
                call()
            # The first batch compiles what later ones look up
            spent[name] += processor_s(group) - before if number else 0.0
    return spent


def _call_operation(client: httpx.Client) -> None:
    client.get(f"/api/v1/echo/{PATH}", params=QUERY).raise_for_status()


def _call_tool(client: httpx.Client) -> None:
    params = {"name": "readEcho", "arguments": {"path": PATH, "query": QUERY}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    answer = client.post("/mcp", json=message).raise_for_status().json()
    if answer["result"].get("isError"):
        raise RuntimeError(json.dumps(answer))


def _token(client: httpx.Client, issuer: str, name: str, secret: str) -> str:
    form = {"grant_type": "client_credentials", "scope": "tool:read", "resource": f"{issuer}{RESOURCES[name]}"}
    answer = client.post("/oauth/token", data=form, auth=(_client_id(name), secret))
    return str(answer.raise_for_status().json()["access_token"])


def _register(gateway: Gateway) -> dict[str, str]:
    """Two clients that act for themselves, one for each resource; their secrets."""
    described = [
        {
            "name": name,
            "client_id": _client_id(name),
            "client_type": "confidential",
            "authorization_grant_type": CLIENTS["S"][2],
            "allowed_scopes": "tool:read",
            "default_resource": resource,
            "preset": "service",
            "serves": [],
        }
        for name, resource in RESOURCES.items()
    ]
    own = {**gateway.variables, "DEMO": "1", "DJANGO_SETTINGS_MODULE": "gateway_project.settings"}
    command = [sys.executable, "-m", "tests.attacks.register"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(**own), input=json.dumps(described), stdout=subprocess.PIPE, text=True,
        check=True,
    )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _client_id(name: str) -> str:
    return f"{name.replace(' ', '')}client0123456789"
