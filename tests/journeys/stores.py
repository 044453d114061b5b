"""What a started gateway keeps its data in: embedded defaults, or the PostgreSQL and Redis this run was given."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.environment import SERVICES
from tests.migrated import create_postgresql, drop_postgresql


@contextlib.contextmanager
def services() -> Iterator[dict[str, str]]:
    """The variables of one gateway; on PostgreSQL it has a database of its own."""
    if not all(os.environ.get(source) for source in SERVICES):
        yield {}
        return
    with own_database() as url:
        yield {"DATABASE_URL": url, "REDIS_URL": os.environ["REDIS_URL"]}


@contextlib.contextmanager
def own_database() -> Iterator[str]:
    """The URL of a migrated, empty PostgreSQL database, dropped at the end."""
    with _dropped_at_the_end() as (server, name):
        create_postgresql(server, name)
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


@contextlib.contextmanager
def empty_database() -> Iterator[str]:
    """The URL of a PostgreSQL database without a table, for a project that is not ours; dropped at the end."""
    with _dropped_at_the_end() as (server, name):
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


@contextlib.contextmanager
def _dropped_at_the_end() -> Iterator[tuple[str, str]]:
    server = os.environ["TEST_DATABASE_URL"]
    name = f"gatehouse_{secrets.token_hex(8)}"
    try:
        yield server, name
    finally:
        drop_postgresql(server, name)
