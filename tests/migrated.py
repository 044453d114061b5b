"""A database migrated once for the state of the code, of which tests take copies: migrating takes seconds each time.

It is named by a digest of every migration and of what is installed; the one for SQLite is kept in `build/`, the one on
a PostgreSQL server is a template that the last process of the run drops.
"""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "migrated"
NAME = "gatehouse.sqlite3"


def copy_sqlite(path: Path) -> None:
    """Put a migrated, empty database at `path`."""
    kept = KEPT / f"{_digest()}.sqlite3"
    with _one_at_a_time():
        if not kept.exists():
            with tempfile.TemporaryDirectory() as folder:
                _migrate(DATA_DIR=folder)
                shutil.copy(Path(folder) / NAME, kept)
    shutil.copy(kept, path)


def create_postgresql(server: str, name: str) -> None:
    """Make the database `name`, migrated and empty, on the server that the URL `server` names."""
    template = _template()
    with _alone_at(server) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone():
            started = f"{template}_started"
            _drop(connection, started)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(started)))
            with tempfile.TemporaryDirectory() as folder:
                _migrate(DATA_DIR=folder, DATABASE_URL=urlunsplit(urlsplit(server)._replace(path=f"/{started}")))
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(started), sql.Identifier(template))
            )
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )


def drop_template(server: str) -> None:
    """Leave nothing behind on the server."""
    with _alone_at(server) as connection:
        _drop(connection, _template())


def drop_postgresql(server: str, name: str) -> None:
    """Drop a database, whoever still uses it."""
    with psycopg.connect(server, autocommit=True) as connection:
        _drop(connection, name)


@contextmanager
def _alone_at(server: str) -> Iterator[psycopg.Connection]:
    # A lock of the server's: runs of other clones use it too. It ends with the connection
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext('gatehouse_migrated'))")
        yield connection


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _template() -> str:
    return f"gatehouse_template_{_digest()}"


@functools.cache
def _digest() -> str:
    found = hashlib.sha256((ROOT / "requirements" / "base.txt").read_bytes())
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(**variables: str) -> None:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=inherited | {"DEBUG": "1"} | variables, check=True, timeout=240)
