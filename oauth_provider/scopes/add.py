"""Add a scope that a deployment cannot do without; the words staff gave an existing one stay."""

from django.db import transaction

from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.revisions.bump import bump
from oauth_provider.scopes.models import Scope, Sensitivity


@transaction.atomic
def add_scope(
    *, name: str, title: str, description: str, portuguese: tuple[str, str], sensitivity: Sensitivity, reason: str
) -> bool:
    """Create the scope unless it exists; whether it did.

    Args:
        portuguese: title and description for people who read Brazilian Portuguese.
        reason: for the event: "environment" or "demo".
    """
    _scope, created = Scope.objects.get_or_create(
        name=name,
        defaults={
            "title": title,
            "description": description,
            "translations": {"pt-br": dict(zip(("title", "description"), portuguese, strict=True))},
            "sensitivity": sensitivity,
        },
    )
    if created:
        record(kind=Kind.ADMIN_OBJECT_ADDED, target=f"scope:{name}", reason=reason)
        bump("catalogue")
    return created
