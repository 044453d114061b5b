"""Two gateways, one database: fifty calls with one Idempotency-Key are one effect, whichever gateway they reach."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet

from tests.journeys.server import free_port, manage, running
from tests.journeys.stores import own_database
from tests.small_server import answering

pytestmark = pytest.mark.services

CALLS = 50
MARK = (
    "from proxy.catalogue.models import Operation; "
    "Operation.objects.filter(backend__name='echo').update(idempotent=True)"
)


class Effects(BaseHTTPRequestHandler):
    """A backend that counts what it did, slowly."""

    protocol_version = "HTTP/1.1"
    keys: list[str]

    def do_POST(self) -> None:
        """One more effect."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        time.sleep(0.5)
        body = json.dumps({"effect": len(self.keys)}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def effects() -> Iterator[tuple[int, list[str]]]:
    """The port before that of a counting backend, and the keys of its effects."""
    port = free_port()
    keys: list[str] = []
    with answering(type("Counting", (Effects,), {"keys": keys}), port=port + 1):
        yield port, keys


def test_fifty_calls_with_one_key_at_two_gateways(effects: tuple[int, list[str]], tmp_path: Path) -> None:
    port, keys = effects
    issuer = f"http://127.0.0.1:{port}"
    with own_database() as database, ExitStack() as servers:
        variables = {
            "HOST": "127.0.0.1",
            "PUBLIC_BASE_URL": issuer,
            "DATA_DIR": str(tmp_path),
            "DATABASE_URL": database,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "PORT": str(port),
        }
        manage("demo", variables=variables)
        manage("shell", "-c", MARK, variables=variables)
        places = [issuer, f"http://127.0.0.1:{free_port()}"]
        for number, place in enumerate(places):
            own = variables | {"PORT": place.rpartition(":")[2]}
            log = tmp_path / f"{number}.log"
            servers.enter_context(running("-m", "gateway_project.server", issuer=place, log=log, variables=own))
        heard = at_both(places, service_token(issuer, tmp_path))
    assert {(answer.status_code, answer.text) for answer in heard} == {(201, '{"effect": 1}')}
    assert keys == ["one-key"]


def service_token(issuer: str, data_dir: Path) -> str:
    """A token of the demo's service client."""
    client = json.loads((data_dir / "demo.json").read_text())["clients"]["service"]
    form = {"grant_type": "client_credentials", "scope": "tool:write", "resource": f"{issuer}/api/v1/echo"}
    answer = httpx.post(f"{issuer}/oauth/token", data=form, auth=(client["client_id"], client["client_secret"]))
    return str(answer.raise_for_status().json()["access_token"])


def at_both(places: list[str], token: str) -> list[httpx.Response]:
    """The same call from everywhere at once, half of it to each gateway."""
    start = threading.Barrier(CALLS)

    def call(number: int) -> httpx.Response:
        start.wait()
        return httpx.post(
            f"{places[number % 2]}/api/v1/echo/orders",
            json={"order": 7},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "one-key"},
            timeout=40,
        )

    with ThreadPoolExecutor(CALLS) as pool:
        return list(pool.map(call, range(CALLS)))
