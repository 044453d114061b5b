"""Start the stock django-oauth-toolkit project in a folder of its own, with the people and clients it is given."""

import contextlib
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.journeys.server import ROOT, Server, environment, free_port, running


def prepare(folder: Path, *, wanted: Mapping[str, Any], database_url: str = "", hasher: str = "") -> dict[str, str]:
    """Migrate and fill its database; the variables every process of it needs."""
    folder.mkdir(parents=True, exist_ok=True)
    variables = {
        "DJANGO_SETTINGS_MODULE": "tests.stock.settings",
        "STOCK_DATA_DIR": str(folder),
        "STOCK_SECRET_KEY": secrets.token_urlsafe(48),
        **({"STOCK_HASHER": hasher} if hasher else {}),
    }
    if database_url:
        variables["STOCK_DATABASE_URL"] = database_url
    command = [sys.executable, "-m", "tests.stock.seed"]
    subprocess.run(
        command, cwd=ROOT, env=environment(**variables), input=json.dumps(wanted), text=True, check=True, timeout=120
    )
    return variables


@contextlib.contextmanager
def running_stock(folder: Path, variables: Mapping[str, str]) -> Iterator[Server]:
    """Serve it with the server that also serves ours."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    command = ("-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-log", "tests.stock.wsgi:application")
    ready = "/.well-known/oauth-authorization-server"
    with running(*command, issuer=origin, log=folder / "stock.log", variables=variables, ready=ready) as server:
        yield server
