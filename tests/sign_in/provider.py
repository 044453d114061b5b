"""A company's identity provider, really started: oidc-provider from npm."""

import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.environment import node
from tests.journeys.server import free_port, serving

SCRIPT = Path(__file__).parents[1] / "clients" / "node" / "provider.mjs"


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
    ready = f"{provider.issuer}/.well-known/openid-configuration"
    with serving([node(), str(SCRIPT)], ready=ready, log=log, variables={"GIVEN": json.dumps(given)}):
        yield provider
