"""Keep limits: checked, recorded and announced, whoever asks for it."""

from collections.abc import Iterable

from django.db import transaction

from audit.ledger.admin_log import record_admin_change, save_checked
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.revisions.bump import bump
from proxy.limits.models import Limit


@transaction.atomic
def save_limit(*, limit: Limit, actor: UserRef | None, fields: Iterable[str] = (), note: str = "") -> None:
    """Store a new or changed limit; every worker counts by it within a second, from nothing if it is new.

    Raises:
        ValidationError: by field.
    """
    kind = save_checked(limit)
    _tell(limit, kind, actor=actor, fields=fields, note=note)


@transaction.atomic
def remove_limit(*, limit: Limit, actor: UserRef | None, note: str) -> None:
    """Delete `limit`; the next most specific one counts from now on. `note` is the reason given."""
    _tell(limit, Kind.ADMIN_OBJECT_DELETED, actor=actor, fields=(), note=note)
    limit.delete()


def _tell(limit: Limit, kind: Kind, *, actor: UserRef | None, fields: Iterable[str], note: str) -> None:
    record_admin_change(
        kind=kind,
        actor=actor,
        target=f"limit:{limit.pk}",
        backend=limit.backend.name if limit.backend else "",
        operation=limit.operation.operation_id if limit.operation else "",
        client_id=limit.client,
        fields=fields,
        note=note,
    )
    bump("catalogue")
