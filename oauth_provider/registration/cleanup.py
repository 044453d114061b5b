"""Forget clients that came by themselves, with a registration or a document, and that nobody uses."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.ledger.kinds import Kind
from audit.ledger.queries import clients_last_used
from audit.ledger.record import record
from oauth_provider.batches import ROWS, short_transaction
from oauth_provider.clients.models import SELF_MADE, Approval, Client
from oauth_provider.connections.models import Connection
from oauth_provider.registration.policy import current_policy
from oauth_provider.revisions.bump import bump


def unused_registrations(*, at: datetime) -> QuerySet[Client]:
    """Nobody allowed them anything in the hours the policy gives; one that waits for staff has as many days."""
    hours = timedelta(hours=current_policy().unused_hours)
    rows = Client.objects.filter(origin__in=SELF_MADE, first_consented_at=None)
    # Somebody has its page open
    asked = apps.get_model("oauth_provider", "Interaction")._default_manager.filter(expires_at__gt=at)
    due = Q(registered_at__lte=at - hours) & ~Q(approval=Approval.PENDING) | Q(registered_at__lte=at - 24 * hours)
    found: QuerySet[Client] = rows.filter(due, ~Exists(asked.filter(client=OuterRef("pk"))))
    return found


def idle_registrations(*, at: datetime) -> QuerySet[Client]:
    """Used once, but nobody allowed them anything in the days the policy gives; what they called is not looked at."""
    since = at - timedelta(days=current_policy().idle_days)
    recent = Connection.objects.filter(client=OuterRef("pk"), created_at__gt=since)
    rows: QuerySet[Client] = Client.objects.filter(origin__in=SELF_MADE, first_consented_at__lte=since)
    return rows.filter(~Exists(recent))


def clean_registrations(*, at: datetime) -> Iterator[int]:
    """Forget those that are unused or idle `at` that moment; yields how many each short transaction deleted."""
    yield from _forget(unused_registrations(at=at), reason="unused")
    since = at - timedelta(days=current_policy().idle_days)
    candidates = list(idle_registrations(at=at).values_list("client_id", flat=True))
    used = clients_last_used(candidates)
    idle = [client_id for client_id in candidates if client_id not in used or used[client_id] <= since]
    for start in range(0, len(idle), ROWS):
        chosen = idle[start : start + ROWS]
        yield from _forget(Client.objects.filter(client_id__in=chosen), reason="idle")


def _forget(rows: QuerySet[Client], *, reason: str) -> Iterator[int]:
    deleted = ROWS
    while deleted:
        with short_transaction():
            # Locked, and looked at again under the lock: somebody may be allowing one of them right now
            keys = list(rows.values_list("pk", flat=True)[:ROWS])
            locked = Client.objects.select_for_update(of=("self",), skip_locked=True).filter(pk__in=keys)
            chosen = list(rows.filter(pk__in=[client.pk for client in locked]))
            _delete(chosen, reason)
            deleted = len(chosen)
        yield deleted


def _delete(clients: Iterable[Client], reason: str) -> None:
    for client in clients:
        record(
            kind=Kind.OAUTH_CLIENT_DELETED,
            client_id=client.client_id,
            target=f"client:{client.client_id}",
            reason=reason,
        )
        client.delete()
    bump("revocation")
