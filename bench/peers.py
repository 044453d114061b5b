"""Gateways as they are often built with Node, for comparison: a verified token, the identity on, a line of audit."""

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import RSAKey

from bench.servers import running
from tests.journeys.server import ROOT, free_port

FOLDER = ROOT / "bench" / "peers"
NAMES = ("express", "fastify")
_ISSUER, _AUDIENCE = "https://issuer.example", "peer"


def installed() -> bool:
    """Whether the peers can be measured; their packages are installed at the first use."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return False
    if not (FOLDER / "node_modules").exists():
        subprocess.run(["npm", "--prefix", str(FOLDER), "ci", "--silent"], check=True)
    return True


@contextlib.contextmanager
def peer(name: str, folder: Path, upstream: str, *, core: int) -> Iterator[tuple[str, str]]:
    """The peer called `name` before `upstream`: its base URL, and the Authorization header it lets in."""
    port, key = free_port(), RSAKey.generate_key(2048)
    now = int(time.time())
    claims = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": "user", "scope": "tool:read", "iat": now, "exp": now + 3600}
    token = jwt.encode({"alg": "RS256"}, claims, key)
    given = {
        "upstream": upstream,
        "port": port,
        "jwk": key.as_dict(private=False),
        "pem": key.as_pem(private=False).decode(),
        "issuer": _ISSUER,
        "audience": _AUDIENCE,
        "log": str(folder / f"{name}.jsonl"),
    }
    command, url = [str(shutil.which("node")), str(FOLDER / f"{name}.mjs")], f"http://127.0.0.1:{port}"
    variables = {"GIVEN": json.dumps(given), "NODE_ENV": "production"}
    headers = {"Authorization": f"Bearer {token}"}
    with running(command, core=core, ready=url, log=folder / f"{name}.log", variables=variables, headers=headers):
        yield url, f"Authorization: Bearer {token}"
