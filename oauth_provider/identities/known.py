"""Whether somebody whom another issuer vouches for is a person of ours: one SQL statement, from any thread."""

from dataclasses import dataclass
from functools import lru_cache

from django.contrib.auth import get_user_model

from oauth_provider.identities.models import Identity
from oauth_provider.one_statement import fetch


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
    # Written out, because the call of somebody signed in elsewhere waits for it
    for user_id, is_active in fetch(_query(), [external_id]):
        return KnownPerson(user_id=user_id, is_active=bool(is_active))
    return None


@lru_cache(maxsize=1)
def _query() -> str:
    identity, user = Identity._meta.db_table, get_user_model()._meta.db_table
    return f"SELECT u.id, u.is_active FROM {identity} i JOIN {user} u ON u.id = i.user_id WHERE i.external_id = %s"  # noqa: S608 - names of our own tables
