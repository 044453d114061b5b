"""A gateway that is told to stop finishes what it has begun, and its ledger is whole."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from tests.journeys.server import Demo, running_demo
from tests.small_server import answering

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

    def do_GET(self) -> None:
        """Send events: until it is told to answer, or for ever."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(b"data: 1\n\n")
        self.arrived.release()
        with contextlib.suppress(ConnectionError):
            while "endless" in self.path or not self.go.wait(0.2):
                self.wfile.write(b"data: 2\n\n")
                time.sleep(0.2)


@pytest.fixture
def slow() -> Iterator[type[Slow]]:
    """The backend; `port` is where it listens."""

    class Waiting(Slow):
        arrived = threading.Semaphore(0)
        go = threading.Event()

    with answering(Waiting) as server:
        Waiting.port = server.server_port
        yield Waiting
        Waiting.go.set()


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


@pytest.mark.services
def test_streams_have_the_time_of_the_drain_and_no_more(slow: type[Slow], tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{slow.port}/"
    with running_demo(tmp_path, ECHO_SERVICE_URL=url) as demo, ThreadPoolExecutor(2) as pool:
        token = service_token(demo)
        streams = [pool.submit(listen, demo, path, token) for path in ("one", "endless")]
        for _stream in streams:
            assert slow.arrived.acquire(timeout=20)
        os.killpg(demo.server.process.pid, signal.SIGTERM)
        threading.Timer(1.0, slow.go.set).start()
        whole, cut = [stream.result(60) for stream in streams]
        demo.server.process.wait(30)
    # The end of a body in chunks (RFC 9112 section 7.1): who was cut off can tell
    assert whole.endswith(b"data: 2\n\n\r\n0\r\n\r\n")
    assert b"data: 2" in cut
    assert not cut.endswith(b"0\r\n\r\n")
    assert recorded(tmp_path, [request_id_of(whole)]) == {("final", "allow", 200)}
    assert recorded(tmp_path, [request_id_of(cut)]) == {("final", "error", 200)}


def listen(demo: Demo, path: str, token: str) -> bytes:
    """Every byte of an answer, until the connection ends."""
    port, heard = int(demo.issuer.rpartition(":")[2]), b""
    with socket.create_connection(("127.0.0.1", port), timeout=40) as wire:
        head = f"GET /api/v1/echo/{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        wire.sendall(head.encode())
        with contextlib.suppress(ConnectionError):
            while data := wire.recv(65_536):
                heard += data
    return heard


def request_id_of(heard: bytes) -> str:
    """The one that its head names."""
    lines = heard.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
    return next(line.removeprefix("x-request-id: ") for line in lines if line.startswith("x-request-id: "))


def service_token(demo: Demo) -> str:
    """A token of the demo's service client."""
    client = demo.client("service")
    form = {
        "grant_type": "client_credentials",
        "scope": "tool:read tool:write",
        "resource": f"{demo.issuer}/api/v1/echo",
    }
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
