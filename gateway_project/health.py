"""Alive, ready, and a summary: for whatever watches the process. Nothing here names a person or a secret."""

import json

from audit.ledger.recorder import Recorder
from gateway_project.load import Load
from proxy.catalogue.watch import Watcher
from proxy.entrypoints.asgi_types import Receive, Scope, Send
from proxy.entrypoints.responder import Responder
from proxy.refusals import MethodNotAllowed

PATHS = frozenset({"/healthz", "/readyz", "/health"})


class Health:
    """The ASGI application of the health URLs; their Host header does not matter, probes use addresses."""

    def __init__(self, *, watcher: Watcher, recorder: Recorder, load: Load) -> None:
        self._watcher = watcher
        self._recorder = recorder
        self._load = load

    def answers(self, path: str) -> bool:
        """Whether `path` is one of its own."""
        return path in PATHS

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one probe: 200, or 503 when the process cannot do its work."""
        method = scope["method"]
        responder = Responder(send, request_id=scope["state"]["request_id"], head_only=method == "HEAD")
        if method not in {"GET", "HEAD"}:
            await responder.problem(MethodNotAllowed(headers=(("allow", "GET, HEAD"),)))
            return
        checks = {} if scope["path"] == "/healthz" else self._checks()
        well = all(checks.values())
        document: dict[str, object] = {"status": "ok" if well else "unavailable"}
        if checks:
            document["checks"] = {name: "ok" if passed else "failed" for name, passed in checks.items()}
        if scope["path"] == "/health":
            document |= {"product": "gatehouse", "backends": len(self._watcher.snapshot.backends)}
        content = json.dumps(document).encode()
        length = ("content-length", str(len(content)))
        headers = (("content-type", "application/json"), length, ("cache-control", "no-store"))
        await responder.whole(200 if well else 503, headers, content)

    def _checks(self) -> dict[str, bool]:
        # The watcher reads the database four times a second: its last success is the answer, at no cost
        return {
            "database": self._watcher.fresh,
            "catalogue": self._watcher.snapshot.revision >= 0,
            "signing_key": self._watcher.snapshot.signing_key is not None,
            "audit": self._recorder.is_healthy,
            # Whoever shares out calls must send no more of them here
            **({"serving": False} if self._load.is_draining else {}),
        }
