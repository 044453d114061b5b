"""A proxy on this computer that adds an access token, for a judge that cannot be given one."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.environment import NODE_MODULES, node
from tests.journeys.server import environment, free_port

PROXY = NODE_MODULES.parent / "with-bearer.mjs"


@contextmanager
def with_bearer(origin: str, token: str) -> Iterator[str]:
    """The same server at another port, where every request carries the token."""
    port = free_port()
    given = json.dumps({"origin": origin, "token": token, "port": port})
    process = subprocess.Popen([node(), str(PROXY)], env=environment(GIVEN=given), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline().strip() == "listening"
        yield f"http://localhost:{port}"
    finally:
        process.kill()
        process.communicate()
