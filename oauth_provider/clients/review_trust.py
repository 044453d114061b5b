"""How well a client's identity is known: decided by a person, who says why."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from audit.ledger.admin_log import record_admin_change
from audit.ledger.kinds import Kind
from oauth_provider.clients.models import Client, Trust
from oauth_provider.identities.external_id import user_ref


@transaction.atomic
def review_trust(*, client: Client, trust: Trust, reviewer: User, reason: str) -> None:
    """Give `client` the level of `trust` that people read on the consent page, with who decided it and when."""
    client.trust, client.trust_reviewed_by, client.trust_reviewed_at = trust, reviewer, timezone.now()
    client.save(update_fields=["trust", "trust_reviewed_by", "trust_reviewed_at", "updated"])
    record_admin_change(
        kind=Kind.ADMIN_CLIENT_REVIEWED,
        actor=user_ref(reviewer),
        target=f"client:{client.client_id}",
        client_id=client.client_id,
        fields=("trust",),
        note=reason,
    )
