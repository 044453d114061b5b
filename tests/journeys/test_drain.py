"""A gateway that is told to stop finishes what it has begun, and its ledger is whole."""

import json
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.journeys.server import Demo, running_demo

CALLS = 5


class Slow(BaseHTTPRequestHandler):
    """A backend that answers when it is told to."""

    protocol_version = "HTTP/1.1"
    arrived: threading.Semaphore
    go: threading.Event
    port: int

    def do_POST(self) -> None:
        """Wait, then answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.arrived.release()
        self.go.wait(20)
        self.send_response(201)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"done")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name the base class has
        """Say nothing."""


@pytest.fixture
def slow() -> Iterator[type[Slow]]:
    """The backend; `port` is where it listens."""

    class Waiting(Slow):
        arrived = threading.Semaphore(0)
        go = threading.Event()

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Waiting)
    Waiting.port = serving.server_address[1]
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield Waiting
    Waiting.go.set()
    serving.shutdown()
    serving.server_close()


def test_calls_under_way_are_answered_and_recorded(slow: type[Slow], tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{slow.port}/"
    with running_demo(tmp_path, ECHO_SERVICE_URL=url) as demo, ThreadPoolExecutor(CALLS) as pool:
        token = service_token(demo)
        calls = [pool.submit(post, demo, token) for _call in range(CALLS)]
        for _call in range(CALLS):
            assert slow.arrived.acquire(timeout=20)
        os.killpg(demo.server.process.pid, signal.SIGTERM)
        threading.Timer(0.5, slow.go.set).start()
        heard = [call.result(30) for call in calls]
        demo.server.process.wait(30)
    assert [(answer.status_code, answer.text) for answer in heard] == [(201, "done")] * CALLS
    assert recorded(tmp_path, [answer.headers["x-request-id"] for answer in heard]) == {("final", "allow", 201)}


def service_token(demo: Demo) -> str:
    """A token of the demo's service client."""
    client = demo.client("service")
    form = {"grant_type": "client_credentials", "scope": "tool:write", "resource": f"{demo.issuer}/api/v1/echo"}
    answer = httpx.post(f"{demo.issuer}/oauth/token", data=form, auth=(client["client_id"], client["client_secret"]))
    return str(answer.raise_for_status().json()["access_token"])


def post(demo: Demo, token: str) -> httpx.Response:
    """One call that changes something."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{demo.issuer}/api/v1/echo/x", json={}, headers=headers, timeout=30)


def recorded(data_dir: Path, request_ids: list[str]) -> set[tuple[str, str, int]]:
    """How the calls ended, as the ledger has it; every call must have ended once."""
    with sqlite3.connect(data_dir / "gatehouse.sqlite3") as ledger:
        rows = ledger.execute(
            "SELECT request_id, phase, decision, status FROM audit_event"
            " WHERE phase = 'final' AND request_id IN (SELECT value FROM json_each(?))",
            [json.dumps(request_ids)],
        ).fetchall()
    assert sorted(row[0] for row in rows) == sorted(request_ids)
    return {row[1:] for row in rows}
