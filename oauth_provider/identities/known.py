"""Whether somebody whom another issuer vouches for is a person of ours: one SQL statement, from any thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError, connection

from oauth_provider.identities.models import Identity


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A local account and whether it may act."""

    user_id: int
    is_active: bool


def known_person(external_id: str) -> KnownPerson | None:
    """The person with this external id, None when there is no such account.

    Raises:
        DatabaseError: nobody can say.
    """
    try:
        row = _row(external_id)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        # The server restarted or dropped an idle connection: this thread starts over, once
        connection.close()
        row = _row(external_id)
    return None if row is None else KnownPerson(user_id=row[0], is_active=bool(row[1]))


def _row(external_id: str) -> Sequence[Any] | None:
    # Written out, because the call of somebody signed in elsewhere waits for it
    with connection.cursor() as cursor:
        cursor.execute(_query(), [external_id])
        row: Sequence[Any] | None = cursor.fetchone()
        return row


@lru_cache(maxsize=1)
def _query() -> str:
    identity, user = Identity._meta.db_table, get_user_model()._meta.db_table
    return f"SELECT u.id, u.is_active FROM {identity} i JOIN {user} u ON u.id = i.user_id WHERE i.external_id = %s"  # noqa: S608 - names of our own tables
