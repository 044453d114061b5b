"""Delete authorization requests whose ten minutes are over."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from oauth_provider.authorize.models import Interaction
from oauth_provider.batches import delete_in_batches


def expired_interactions(*, at: datetime) -> QuerySet[Interaction]:
    """Decided or not: until then a decided one shows that it was, and cannot be decided again."""
    return Interaction.objects.filter(expires_at__lte=at)


def clean_interactions(*, at: datetime) -> Iterator[int]:
    """Delete those expired `at` that moment; yields how many each short transaction deleted."""
    return delete_in_batches(expired_interactions(at=at))
