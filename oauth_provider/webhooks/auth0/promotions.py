"""Keep which clients are to be promoted until they are: what fails is tried again with the next delivery."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.webhooks.auth0.log import Registered
from oauth_provider.webhooks.auth0.management import Declined, Unavailable
from oauth_provider.webhooks.auth0.promote import promote
from oauth_provider.webhooks.auth0.tenant import Tenant
from oauth_provider.webhooks.deliveries import is_first
from oauth_provider.webhooks.errors import NotYet
from oauth_provider.webhooks.models import Promotion

# A worker that took one and vanished holds it that long
CLAIM = timedelta(minutes=1)
AT_ONCE = 10
MOST_TRIES = 20


@transaction.atomic
def remember(found: list[Registered]) -> None:
    """Note each registration that was not noted before."""
    for registered in found:
        if not is_first(source="auth0", name=registered.log_id):
            continue
        if registered.client_id:
            Promotion.objects.get_or_create(client_id=registered.client_id)
        else:
            _refused("", "no_client_id")


def carry_out(tenant: Tenant) -> None:
    """Promote what waits, a few at a time, outside of any transaction: each is several calls to Auth0.

    Raises:
        NotYet: some could not be promoted now.
    """
    waiting = Promotion.objects.filter(state=Promotion.State.WAITING).order_by("pk")
    late: Unavailable | None = None
    for promotion in waiting[:AT_ONCE]:
        if not _claimed(promotion):
            continue
        try:
            _promote(promotion, tenant)
        except Unavailable as error:
            late = error
    if late:
        raise NotYet(late.reason, retry_after_s=late.retry_after_s)


def _claimed(promotion: Promotion) -> bool:
    now = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM)
    rows = Promotion.objects.filter(free, pk=promotion.pk, state=Promotion.State.WAITING)
    return bool(rows.update(claimed_at=now, tries=F("tries") + 1))


def _promote(promotion: Promotion, tenant: Tenant) -> None:
    try:
        promote(promotion.client_id, tenant)
    except Declined as error:
        _settle(promotion, Promotion.State.REFUSED)
        _refused(promotion.client_id, error.reason, status=error.status)
    except Unavailable as error:
        if promotion.tries + 1 >= MOST_TRIES:
            _settle(promotion, Promotion.State.REFUSED)
            _refused(promotion.client_id, "gave_up")
            return
        Promotion.objects.filter(pk=promotion.pk).update(claimed_at=None)
        _refused(promotion.client_id, error.reason, decision=Decision.ERROR)
        raise
    else:
        _settle(promotion, Promotion.State.DONE)
        record(kind=Kind.WEBHOOK_CLIENT_PROMOTED, target=_target(promotion.client_id))


def _settle(promotion: Promotion, state: str) -> None:
    Promotion.objects.filter(pk=promotion.pk).update(state=state, claimed_at=None)


def _refused(client_id: str, reason: str, *, status: int | None = None, decision: Decision = Decision.DENY) -> None:
    record(kind=Kind.WEBHOOK_CLIENT_REFUSED, decision=decision, reason=reason, status=status, target=_target(client_id))


def _target(client_id: str) -> str:
    return f"auth0:client:{client_id}"
