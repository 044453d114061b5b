"""Whether somebody whom another issuer vouches for is a person of ours: one statement, from any thread."""

from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, connection

from oauth_provider.identities.models import Identity


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A local account and whether it may act."""

    user_id: int
    is_active: bool


def known_person(external_id: str) -> KnownPerson | None:
    """The person with this external id, None when there is no such account."""
    try:
        return _find(external_id)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        # The server restarted or dropped an idle connection: this thread starts over, once
        connection.close()
        return _find(external_id)


def _find(external_id: str) -> KnownPerson | None:
    row = Identity.objects.filter(external_id=external_id).values_list("user_id", "user__is_active").first()
    return None if row is None else KnownPerson(user_id=row[0], is_active=row[1])
