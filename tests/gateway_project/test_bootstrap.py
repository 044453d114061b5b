"""What a start makes of the environment: once, whoever starts first, or nothing and a reason."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import OperationalError
from psycopg import sql

from audit.ledger.models import Event
from gateway_project import bootstrap as module
from gateway_project.bootstrap import NotReadyToServe, bootstrap, follow_environment
from oauth_provider.api_keys.verify import verify_api_key
from oauth_provider.clients.models import Client
from oauth_provider.keys.models import SigningKey
from proxy.catalogue.models import Backend
from tests.journeys.server import ROOT, environment, manage

START = "import django; django.setup(); from gateway_project.bootstrap import bootstrap; bootstrap()"
KEY = "k" * 40


@pytest.fixture
def described(settings: Any) -> None:
    """An environment with everything a start can make."""
    settings.OAUTH_CLIENT_ID, settings.OAUTH_CLIENT_SECRET = "recruiting-gpt", "s" * 43
    settings.OAUTH_REDIRECT_URIS = ["https://chatgpt.com/aip/g-x/oauth/callback"]
    settings.GATEWAY_API_KEY = KEY
    settings.SERVICE_URLS = {"GPT": "http://gpt.internal:3014"}


@pytest.mark.django_db
@pytest.mark.usefixtures("described")
def test_everything_described_is_there_and_refers_to_each_other() -> None:
    follow_environment()
    client = Client.objects.get()
    assert (client.client_id, client.default_resource) == ("recruiting-gpt", "/api/v1/gpt")
    assert client.scope_set == {"jobs:read", "applications:read", "applications:write", "resume:read"}
    assert verify_api_key(KEY).scopes == client.scope_set
    assert Backend.objects.get().upstream_url == "http://gpt.internal:3014"
    assert SigningKey.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("described")
def test_a_second_start_changes_nothing() -> None:
    follow_environment()
    events = Event.objects.count()
    follow_environment()
    assert Event.objects.count() == events
    assert SigningKey.objects.count() == 1


@pytest.mark.django_db
def test_a_start_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_let_go_of_databases", lambda: None)
    bootstrap()
    assert Event.objects.filter(kind="system:process:started").count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("described")
def test_a_variable_that_cannot_be_followed_ends_the_start_by_name(settings: Any) -> None:
    settings.OAUTH_CLIENT_SECRET, settings.DEBUG = "short", False
    with pytest.raises(NotReadyToServe, match="OAUTH_CLIENT_SECRET must have at least 32"):
        follow_environment()


@pytest.mark.parametrize(
    ("fault", "said"),
    [(OperationalError("no route"), "DATABASE_URL"), (ValidationError("no such thing"), "no such thing")],
)
def test_a_fault_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, fault: Exception, said: str) -> None:
    def fail() -> None:
        raise fault

    monkeypatch.setattr(module, "_require_migrations", fail)
    with pytest.raises(NotReadyToServe, match=said):
        follow_environment()


def test_a_database_that_is_not_migrated_ends_the_start(tmp_path: Path) -> None:
    done = start({"DATA_DIR": str(tmp_path), "DEBUG": "1"}).communicate(timeout=60)
    assert done[1].splitlines()[-1] == "The database is not up to date. Run: python manage.py migrate"


@pytest.mark.django_db
@pytest.mark.usefixtures("described")
@pytest.mark.parametrize(
    ("options", "printed"),
    [({}, "The client recruiting-gpt is in place.\n"), ({"json": True}, '{"client_id": "recruiting-gpt"}\n')],
)
def test_the_command_does_the_same_before_the_server_starts(options: dict[str, bool], printed: str) -> None:
    out = StringIO()
    call_command("bootstrap_client", stdout=out, **options)
    assert out.getvalue() == printed
    assert Client.objects.get().scope_set


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of a PostgreSQL database of our own, dropped at the end."""
    server = os.environ["TEST_DATABASE_URL"]
    name = f"gatehouse_bootstrap_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.services
def test_replicas_that_start_together_make_everything_once(database: str, tmp_path: Path) -> None:
    variables = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": database,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "OAUTH_CLIENT_ID": "recruiting-gpt",
        "OAUTH_CLIENT_SECRET": "s" * 43,
        "GATEWAY_API_KEY": KEY,
        "INTERNAL_SERVICE_KEY": "i" * 40,
    }
    manage("migrate", variables=variables)
    replicas = [start(variables) for _ in range(3)]
    ended = [(replica.communicate(timeout=60)[1], replica.returncode) for replica in replicas]
    assert {status for _said, status in ended} == {0}, ended
    with psycopg.connect(database) as connection:
        for table, rows in {
            "oauth_provider_client": 1,
            "oauth_provider_clientsecret": 1,
            "oauth_provider_apikey": 1,
            "oauth_provider_signingkey": 1,
            # Four of the recruiting operations, four of OpenID Connect
            "oauth_provider_scope": 8,
            "proxy_backend": 1,
            "proxy_operation": 5,
        }.items():
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            assert connection.execute(query).fetchone() == (rows,), table


def start(variables: dict[str, str]) -> subprocess.Popen[str]:
    """A process that does what the server does before it serves."""
    return subprocess.Popen(
        [sys.executable, "-c", START],
        cwd=ROOT,
        env=environment(DJANGO_SETTINGS_MODULE="gateway_project.settings", **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
