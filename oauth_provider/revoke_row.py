"""End a credential for good, the same way whichever it is: its row has a `revoked_at`."""

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from audit.ledger.admin_log import record_admin_change
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind


@transaction.atomic
def revoke_row(row: Model, *, target: str, actor: UserRef | None, reason: str) -> bool:
    """Whether this ended it; then it is recorded, as `target`. One that had ended before stays as it is."""
    if not type(row)._default_manager.filter(pk=row.pk, revoked_at=None).update(revoked_at=timezone.now()):
        return False
    record_admin_change(kind=Kind.ADMIN_OBJECT_CHANGED, actor=actor, target=target, fields=("revoked_at",), note=reason)
    return True
