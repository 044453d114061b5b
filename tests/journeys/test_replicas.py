"""Several processes on one PostgreSQL, as in production: revoked on one, refused on the others."""

import contextlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet

from tests.journeys import steps
from tests.journeys.pages import Browser
from tests.journeys.server import Demo, Server, free_port, manage, running
from tests.journeys.stores import own_database
from tests.small_server import answering

pytestmark = pytest.mark.services

REFUSED_WITHIN_S = 1.0
SERVE = ("-m", "gateway_project.server")


@dataclass(frozen=True, kw_only=True)
class Replicas:
    """Two gateways with one database and one issuer; `demo` is the first."""

    demo: Demo
    second: Server

    def call(self, issuer: str, tokens: steps.Tokens) -> httpx.Response:
        """Search jobs at one of the two."""
        return httpx.get(f"{issuer}/api/v1/gpt/jobs/search?keywords=go", headers=tokens.header, timeout=20)


class Backend(BaseHTTPRequestHandler):
    """A backend that says yes to everything."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer an empty list."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of a PostgreSQL database of our own."""
    with own_database() as url:
        yield url


@pytest.fixture(scope="module")
def production(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a replica on a migrated and seeded database, with the demo's backends answering."""
    port = free_port()
    variables = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "DATA_DIR": str(tmp_path_factory.mktemp("replicas")),
        "DATABASE_URL": database,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "RATE_LIMIT_MAX": "100000",
    }
    manage("demo", variables=variables)
    # Where the demo's careers backend is expected
    with answering(Backend, port=port + 1):
        yield variables


@contextlib.contextmanager
def replicas(variables: dict[str, str]) -> Iterator[Replicas]:
    """Run two gateways on `variables`, each on a port of its own."""
    data_dir, issuer, port = Path(variables["DATA_DIR"]), variables["PUBLIC_BASE_URL"], free_port()
    other = variables | {"PORT": str(port)}
    with (
        running(*SERVE, issuer=issuer, log=data_dir / "first.log", variables=variables) as first,
        running(*SERVE, issuer=f"http://127.0.0.1:{port}", log=data_dir / "second.log", variables=other) as second,
    ):
        facts = json.loads((data_dir / "demo.json").read_text())
        yield Replicas(demo=Demo(server=first, facts=facts), second=second)


def redis_variables(kind: str) -> dict[str, str]:
    """What a replica needs for the parameter `kind`."""
    return {"REDIS_URL": os.environ["REDIS_URL"]} if kind == "redis" else {}


@pytest.mark.parametrize("kind", ["redis", "no redis"])
def test_revoked_on_one_replica_is_refused_on_the_other(production: dict[str, str], kind: str) -> None:
    with replicas(production | redis_variables(kind)) as both, Browser(both.demo.issuer) as ana:
        steps.sign_in(ana, both.demo.user("ana"))
        measured = [revoke_on_first(both, ana) for _ in range(5)]
    print(f"{kind}: refused on the other replica after {', '.join(f'{s * 1000:.0f}' for s in measured)} ms")
    assert max(measured) < REFUSED_WITHIN_S


def revoke_on_first(both: Replicas, ana: Browser) -> float:
    """Connect, call both replicas, revoke on the first; seconds from the answer until the second refuses."""
    tokens = steps.connect_gpt(both.demo, ana)
    for issuer in (both.demo.issuer, both.second.issuer):
        assert both.call(issuer, tokens).status_code == 200
    steps.revoke(ana, steps.connection_path(ana, "Career Copilot"))
    return steps.refused_after_s(lambda: both.call(both.second.issuer, tokens))


def test_every_worker_of_one_server_refuses(production: dict[str, str]) -> None:
    variables = production | redis_variables("redis") | {"WEB_CONCURRENCY": "2"}
    data_dir, issuer = Path(variables["DATA_DIR"]), variables["PUBLIC_BASE_URL"]
    with running(*SERVE, issuer=issuer, log=data_dir / "workers.log", variables=variables) as server:
        demo = Demo(server=server, facts=json.loads((data_dir / "demo.json").read_text()))
        with Browser(issuer) as ana:
            steps.sign_in(ana, demo.user("ana"))
            tokens = steps.connect_gpt(demo, ana)
            assert statuses(demo, tokens) == {200}
            steps.revoke(ana, steps.connection_path(ana, "Career Copilot"))
        took = last_accepted_s(lambda: search(demo, tokens))
    print(f"two workers with Redis: last call accepted {took * 1000:.0f} ms after the revocation")
    assert took < REFUSED_WITHIN_S


def search(demo: Demo, tokens: steps.Tokens) -> int:
    """The status of a call on a connection of its own, which any worker may take."""
    url = f"{demo.issuer}/api/v1/gpt/jobs/search?keywords=go"
    return httpx.get(url, headers=tokens.header, timeout=20).status_code


def statuses(demo: Demo, tokens: steps.Tokens) -> set[int]:
    """The distinct statuses of twenty calls."""
    return {search(demo, tokens) for _ in range(20)}


def last_accepted_s(call: Callable[[], int], *, watched_s: float = 2.0) -> float:
    """Call for `watched_s`; the seconds from the start to the last call that was not refused (0 if all were)."""
    start, last = time.monotonic(), 0.0
    while time.monotonic() - start < watched_s:
        if call() != 401:
            last = time.monotonic() - start
    return last
