"""Add a scope that a deployment cannot do without; the words staff gave an existing one stay."""

from django.db import transaction

from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.revisions.bump import bump
from oauth_provider.scopes.models import Scope


@transaction.atomic
def add_scope(*, scope: Scope, reason: str) -> None:
    """Store `scope` unless there is one of its name. `reason`, for the event: "environment" or "demo".

    Raises:
        ValidationError: by field.
    """
    if Scope.objects.filter(name=scope.name).exists():
        return
    scope.full_clean()
    scope.save()
    record(kind=Kind.ADMIN_OBJECT_ADDED, target=f"scope:{scope.name}", reason=reason)
    bump("catalogue")
