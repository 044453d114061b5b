"""Keep the policy and the list as staff want them."""

from collections.abc import Iterable

from django.db import transaction

from audit.ledger.admin_log import record_admin_change, save_checked
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.registration.models import ListedClient, RegistrationPolicy
from oauth_provider.registration.programs import enforce
from oauth_provider.revisions.bump import bump


@transaction.atomic
def save_policy(*, policy: RegistrationPolicy, actor: UserRef, fields: Iterable[str], note: str = "") -> None:
    """Store the one `policy`; `fields` are the names of what changed, `note` the reason given.

    Raises:
        ValidationError: by field.
    """
    policy.full_clean()
    policy.save()
    record_admin_change(
        kind=Kind.ADMIN_OBJECT_CHANGED, actor=actor, target="policy:registration", fields=fields, note=note
    )
    bump("revocation")


@transaction.atomic
def save_listed(*, entry: ListedClient, actor: UserRef, fields: Iterable[str], note: str = "") -> None:
    """Store a new or changed `entry` of the list; a block suspends whoever is here already.

    Raises:
        ValidationError: by field.
    """
    kind = save_checked(entry)
    enforce(entry=entry, actor=actor, reason=note)
    record_admin_change(kind=kind, actor=actor, target=entry.target, fields=fields, note=note)
    bump("revocation")


@transaction.atomic
def remove_listed(*, entry: ListedClient, actor: UserRef, note: str) -> None:
    """Delete `entry`: its program is judged by the policy again."""
    record_admin_change(kind=Kind.ADMIN_OBJECT_DELETED, actor=actor, target=entry.target, note=note)
    entry.delete()
    bump("revocation")
