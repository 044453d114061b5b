"""`cleanup_tokens`: numbers for people and machines, and an event."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from audit.ledger.models import Event
from oauth_provider.authorize.models import Interaction
from tests.agreed import World

Asked = Callable[[timedelta], Interaction]


@pytest.fixture
def asked(world: World) -> Asked:
    """Store an authorization request that expires after a time."""

    def ask(expires_in: timedelta) -> Interaction:
        return Interaction.objects.create(
            id=f"i{Interaction.objects.count()}",
            client=world.client,
            resource=world.connection.resource,
            redirect_uri="https://client.example/callback",
            expires_at=timezone.now() + expires_in,
        )

    return ask


def cleanup(**options: Any) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("cleanup_tokens", stdout=out, **options)
    return out.getvalue()


def test_expired_requests_and_sessions_go_and_others_stay(asked: Asked) -> None:
    asked(timedelta(minutes=-1))
    kept = asked(timedelta(minutes=1))
    for expires_in in (-60, 60):
        session = SessionStore()
        session.set_expiry(expires_in)
        session.save()
    done = json.loads(cleanup(json=True))
    assert (done["interactions"], done["sessions"]) == (1, 1)
    assert Interaction.objects.get().pk == kept.pk
    assert Session.objects.count() == 1


@pytest.mark.django_db
def test_json_names_every_kind_even_when_there_is_nothing_to_do() -> None:
    kinds = {
        "access_tokens",
        "refresh_tokens",
        "codes",
        "families",
        "grants",
        "assertions",
        "interactions",
        "sessions",
        "deliveries",
        "registrations",
        "device_codes",
    }
    assert json.loads(cleanup(json=True)) == dict.fromkeys(kinds, 0)


def test_without_a_terminal_there_are_plain_lines(asked: Asked) -> None:
    asked(timedelta(minutes=-1))
    lines = cleanup().splitlines()
    assert lines[0] == "1 interactions"
    assert lines[-1].startswith("Deleted: access tokens 0, ")


def test_on_a_terminal_there_is_a_bar_that_ends_full(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    for _ in range(3):
        asked(timedelta(minutes=-1))
    assert cleanup().startswith("Deleted: ")
    assert "100%" in terminal.getvalue().rpartition("\r")[2]


@pytest.mark.usefixtures("world")
def test_it_is_recorded() -> None:
    cleanup()
    assert "access tokens 0" in Event.objects.get(kind="system:tokens:cleaned").note
