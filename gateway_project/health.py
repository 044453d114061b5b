"""Alive, ready, and a summary: for whatever watches the process. Nothing here names a person or a secret."""

import json

from audit.ledger.recorder import Recorder
from gateway_project.issuers_health import AUTH0, ISSUERS, issuers_document, issuers_summary
from gateway_project.load import Load
from proxy.catalogue.watch import Watcher
from proxy.entrypoints.asgi_types import Receive, Scope, Send
from proxy.entrypoints.responder import Responder
from proxy.issuers.keeper import KeyKeeper
from proxy.refusals import MethodNotAllowed, NotRegistered

PATHS = frozenset({"/healthz", "/readyz", "/health", ISSUERS, AUTH0})


class Health:
    """The ASGI application of the health URLs; their Host header does not matter, probes use addresses."""

    def __init__(self, *, watcher: Watcher, recorder: Recorder, load: Load, issuer_keys: KeyKeeper) -> None:
        self._watcher = watcher
        self._issuer_keys = issuer_keys
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
        document = self._document(scope["path"])
        if document is None:
            await responder.problem(NotRegistered())
            return
        content = json.dumps(document).encode()
        length = ("content-length", str(len(content)))
        kept = (("cache-control", "no-store"), ("vary", "Origin"))
        headers = (("content-type", "application/json"), length, *kept)
        await responder.whole(200 if document["status"] == "ok" else 503, headers, content)

    def _document(self, path: str) -> dict[str, object] | None:
        issuers = self._watcher.snapshot.issuers.values()
        if path == ISSUERS:
            return issuers_document(self._issuer_keys, issuers)
        if path == AUTH0:
            tenants = [issuer for issuer in issuers if issuer.is_auth0]
            return issuers_document(self._issuer_keys, tenants) if tenants else None
        checks = {} if path == "/healthz" else self._checks()
        document: dict[str, object] = {"status": "ok" if all(checks.values()) else "unavailable"}
        if checks:
            document["checks"] = {name: "ok" if passed else "failed" for name, passed in checks.items()}
        if path == "/health":
            # Not among the checks: one company's outage is no reason to send the calls of all others elsewhere
            document |= {"product": "gatehouse", "backends": len(self._watcher.snapshot.backends)}
            document["issuers"] = issuers_summary(self._issuer_keys, issuers)
        return document

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
