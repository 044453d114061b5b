"""Keep whom staff trust beside this server: checked, recorded and announced, whoever asks for it."""

from collections.abc import Iterable

from django.db import transaction

from audit.ledger.admin_log import record_admin_change, save_checked
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.revisions.bump import bump
from proxy.issuers.models import Issuer


@transaction.atomic
def save_issuer(*, issuer: Issuer, actor: UserRef | None, fields: Iterable[str] = (), note: str = "") -> None:
    """Store a new or changed issuer; its tokens count, or count no more, within a second on every worker.

    Args:
        issuer: with its new values; need not be checked.
        actor: the member of staff; None from a shell.
        fields: names of what changed, for the event.
        note: the reason a person gave.

    Raises:
        ValidationError: by field.
    """
    kind = save_checked(issuer)
    record_admin_change(kind=kind, actor=actor, target=f"issuer:{issuer.name}", fields=fields, note=note)
    bump("catalogue")


@transaction.atomic
def remove_issuer(*, issuer: Issuer, actor: UserRef | None, note: str) -> None:
    """Delete `issuer`; its tokens open nothing from now on. `note` is the reason given."""
    record_admin_change(kind=Kind.ADMIN_OBJECT_DELETED, actor=actor, target=f"issuer:{issuer.name}", note=note)
    issuer.delete()
    bump("catalogue")
