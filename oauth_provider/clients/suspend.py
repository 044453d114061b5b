"""Stop everything a client does, and let it go on."""

from django.db import transaction
from django.utils import timezone

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Client
from oauth_provider.revisions.bump import bump


@transaction.atomic
def suspend_client(*, client: Client, actor: UserRef | None, reason: str) -> None:
    """Refuse the client everywhere at once: sign-ins, token requests, calls. Its connections stay, for `resume`."""
    now = timezone.now()
    if not Client.objects.filter(pk=client.pk, suspended_at=None).update(
        suspended_at=now, suspension_reason=reason[:500]
    ):
        return
    client.suspended_at, client.suspension_reason = now, reason[:500]
    _tell(Kind.ADMIN_CLIENT_SUSPENDED, client, actor, reason)


@transaction.atomic
def resume_client(*, client: Client, actor: UserRef | None, reason: str) -> None:
    """Let a suspended client go on where it was stopped."""
    if (
        not Client.objects.filter(pk=client.pk)
        .exclude(suspended_at=None)
        .update(suspended_at=None, suspension_reason="")
    ):
        return
    client.suspended_at, client.suspension_reason = None, ""
    _tell(Kind.ADMIN_CLIENT_RESUMED, client, actor, reason)


def _tell(kind: Kind, client: Client, actor: UserRef | None, reason: str) -> None:
    record(kind=kind, actor=actor, client_id=client.client_id, target=f"client:{client.client_id}", note=reason[:500])
    bump("revocation")
