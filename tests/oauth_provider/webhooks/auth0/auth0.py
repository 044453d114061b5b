"""An Auth0 tenant, small: its token endpoint and the part of its Management API that is used, as documented."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.small_server import answering

CLIENT_ID, CLIENT_SECRET = "m2m", "secret of the m2m application"
CONNECTION = "con_0000000000000001"
WEBHOOK_SECRET = "secret of the log stream"
CHATGPT = "https://chatgpt.com/connector_platform_oauth_redirect"


@dataclass
class Auth0:
    """A running one. `faults` are answers instead of the right ones, by method and path, used up one by one."""

    port: int
    clients: dict[str, dict[str, Any]] = field(default_factory=dict)
    enabled: list[str] = field(default_factory=lambda: ["first"])
    grants: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[tuple[str, str], list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    lasts_s: int = 86_400
    has_clients_endpoint: bool = True

    @property
    def origin(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def register(self, client_id: str, *callbacks: str) -> None:
        """What Auth0 keeps after a dynamic registration."""
        self.clients[client_id] = {
            "client_id": client_id,
            "callbacks": list(callbacks or (CHATGPT,)),
            "app_type": "native",
            "is_first_party": False,
            "grant_types": ["authorization_code"],
        }

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """As documented."""
        parts = path.removeprefix("/api/v2/").split("/")
        if parts[0] == "clients" and parts[1] in self.clients:
            self.clients[parts[1]].update(body or {})
            return 200, self.clients[parts[1]]
        if parts == ["connections", CONNECTION, "clients"] and method == "PATCH" and self.has_clients_endpoint:
            self.enabled += [each["client_id"] for each in body if each["status"]]
            return 204, None
        if parts == ["connections", CONNECTION]:
            self.enabled = body["enabled_clients"] if method == "PATCH" else self.enabled
            return 200, {"id": CONNECTION, "enabled_clients": self.enabled}
        if parts == ["client-grants"] and method == "POST":
            is_there = any(
                (each["client_id"], each["audience"]) == (body["client_id"], body["audience"]) for each in self.grants
            )
            if not is_there:
                self.grants.append(body)
            return (409, {"errorCode": "resource_already_exists"}) if is_there else (201, {"id": "cgr_1", **body})
        return 404, {"error": "Not Found"}

    def token(self, body: dict[str, str]) -> tuple[int, Any]:
        """The client credentials grant for the Management API."""
        good = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "audience": f"{self.origin}/api/v2/",
        }
        if body != good:
            return 401, {"error": "access_denied"}
        token = f"token-{len(self.asked)}"
        self.tokens.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.lasts_s}


class Answers(BaseHTTPRequestHandler):
    """Its HTTP."""

    def do_GET(self) -> None:
        """Read."""
        self._do("GET")

    def do_POST(self) -> None:
        """Make."""
        self._do("POST")

    def do_PATCH(self) -> None:
        """Change."""
        self._do("PATCH")

    def _do(self, method: str) -> None:
        tenant: Auth0 = self.server.tenant  # type: ignore[attr-defined]
        path = urlsplit(self.path).path
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw) if raw else None
        tenant.asked.append((method, path))
        waiting = tenant.faults.get((method, path))
        if waiting:
            status, headers = waiting.pop(0)
            self._say(status, {"statusCode": status}, headers)
        elif path == "/oauth/token":
            self._say(*tenant.token(body or {}))
        elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in tenant.tokens:
            self._say(401, {"error": "Unauthorized"})
        else:
            self._say(*tenant.answer(method, path, body))

    def _say(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running() -> Iterator[Auth0]:
    """A tenant until the block ends."""
    with answering(Answers) as server:
        server.tenant = Auth0(port=server.server_port)  # type: ignore[attr-defined]
        yield server.tenant  # type: ignore[attr-defined]


def entry(client_id: str, *, log_id: str = "", **changes: Any) -> dict[str, Any]:
    """An entry of the log stream that tells of a dynamic registration."""
    name = log_id or f"900{time.monotonic_ns()}"
    data = {
        "log_id": name,
        "date": "2026-11-25T18:00:00.000Z",
        "type": "sapi",
        "description": "Dynamic client registration",
        "details": {
            "request": {"method": "post", "path": "/oidc/register"},
            "response": {"statusCode": 201, "body": {"client_id": client_id}},
        },
        **changes,
    }
    return {"log_id": name, "data": data}
