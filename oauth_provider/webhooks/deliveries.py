"""Let every message count once, however often and from how many sides at a time it arrives."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from oauth_provider.batches import delete_in_batches
from oauth_provider.webhooks.models import Delivery

# Svix tries for some 28 hours, Auth0 three times; a replay is refused by its time long before
KEPT = timedelta(days=30)


def is_first(*, source: str, name: str) -> bool:
    """Whether the message called `name` was never taken before; in the caller's transaction, so that a failure forgets.

    A second copy that arrives at the same time waits here until the first one's transaction ends.
    """
    try:
        with transaction.atomic():
            Delivery.objects.create(source=source, name=name)
    except IntegrityError:
        return False
    return True


def old_deliveries(*, at: datetime) -> QuerySet[Delivery]:
    """Those nobody repeats any more."""
    return Delivery.objects.filter(received_at__lt=at - KEPT)


def clean_deliveries(*, at: datetime) -> Iterator[int]:
    """Delete those that are old `at` that moment; yields how many each short transaction deleted."""
    return delete_in_batches(old_deliveries(at=at))
