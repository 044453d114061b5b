"""Both demo backends under one origin: `/careers/api/v2/…` and `/echo/…`."""

from typing import Any

from gateway_project.demo.backends.answers import answer_json
from gateway_project.demo.backends.careers import Careers
from gateway_project.demo.backends.echo import echo

CAREERS = "/careers/api/v2"
ECHO = "/echo"


class DemoBackends:
    """The ASGI application of the demo's second process."""

    def __init__(self) -> None:
        self._careers = Careers()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own shapes
        """Answer one request."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path == ECHO or path.startswith(f"{ECHO}/"):
            await echo(scope, receive, send)
        elif path.startswith(f"{CAREERS}/"):
            await self._careers(scope, receive, send, path=path.removeprefix(CAREERS))
        else:
            await answer_json(send, {"error": "not_found"}, status=404)
