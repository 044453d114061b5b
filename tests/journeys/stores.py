"""What a started gateway keeps its data in: embedded defaults, or the PostgreSQL and Redis this run was given."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

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
    server = os.environ["TEST_DATABASE_URL"]
    name = f"gatehouse_{secrets.token_hex(8)}"
    create_postgresql(server, name)
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        drop_postgresql(server, name)
