"""`check_backends`: words for people, JSON for machines, and an exit status."""

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from proxy.catalogue.models import Backend
from tests.small_server import answering

pytestmark = pytest.mark.django_db


class Answering(BaseHTTPRequestHandler):
    """Says yes."""

    def do_GET(self) -> None:
        """Answer nothing, successfully."""
        self.send_response(204)
        self.end_headers()


@pytest.fixture
def up() -> Iterator[Backend]:
    """A stored backend that answers."""
    with answering(Answering) as server:
        yield stored("up", server.server_port)


@pytest.fixture
def down() -> Iterator[Backend]:
    """A stored backend that nobody serves."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield stored("down", bound.getsockname()[1])


def stored(name: str, port: int) -> Backend:
    """A backend on this machine."""
    return Backend.objects.create(
        name=name, prefix=f"/api/v1/{name}", upstream_url=f"http://127.0.0.1:{port}", allow_private=True
    )


def check(**options: Any) -> tuple[int, str]:
    """The exit status of the command, and what it prints."""
    out = StringIO()
    try:
        call_command("check_backends", stdout=out, **options)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.usefixtures("up")
def test_all_up_is_success() -> None:
    status, printed = check()
    assert status == 0
    assert printed.startswith("up  up    204")


@pytest.mark.usefixtures("up", "down")
def test_one_down_is_failure_and_says_what_to_do() -> None:
    status, printed = check()
    assert status == 1
    assert "DOWN" in printed
    assert "Nothing listens there: start the service, or correct the port." in printed


@pytest.mark.usefixtures("up", "down")
def test_json_holds_the_same() -> None:
    status, printed = check(json=True)
    found = {each["backend"]: each for each in json.loads(printed)}
    assert status == 1
    assert (found["up"]["reachable"], found["up"]["status"], found["down"]["reachable"]) == (True, 204, False)


def test_a_disabled_backend_is_not_asked(down: Backend) -> None:
    Backend.objects.filter(pk=down.pk).update(enabled=False)
    assert check() == (0, "No backend is enabled.\n")
