"""A company's identity provider, really started: oidc-provider from npm."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.environment import node
from tests.journeys.server import environment, free_port

SCRIPT = Path(__file__).parents[1] / "clients" / "node" / "provider.mjs"
READY_WITHIN_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Provider:
    """What its administrator knows."""

    issuer: str
    client_id: str
    client_secret: str

    @property
    def variables(self) -> dict[str, str]:
        """The gateway's environment."""
        return {
            "SIGN_IN_ISSUER": self.issuer,
            "SIGN_IN_CLIENT_ID": self.client_id,
            "SIGN_IN_CLIENT_SECRET": self.client_secret,
            "SIGN_IN_NAME": "Acme",
        }


@contextlib.contextmanager
def running_provider(*, gateway: str, people: Mapping[str, Mapping[str, Any]], log: Path) -> Iterator[Provider]:
    """A provider that knows `people` by subject, and the gateway at the origin `gateway`."""
    provider = Provider(
        issuer=f"http://127.0.0.1:{free_port()}", client_id="gatehouse", client_secret=secrets.token_hex(16)
    )
    given = {
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        "redirect_uri": f"{gateway}/accounts/provider/callback/",
        "signed_out_uri": f"{gateway}/accounts/login/",
        "people": people,
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [node(), str(SCRIPT)],
            env=environment(GIVEN=json.dumps(given)),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, provider, log)
        yield provider
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process: subprocess.Popen[bytes], provider: Provider, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=2).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"the provider is not ready:\n{log.read_text()}")
