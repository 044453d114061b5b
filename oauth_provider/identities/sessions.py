"""Delete sessions nobody can continue."""

from collections.abc import Iterator
from datetime import datetime

from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from oauth_provider.batches import delete_in_batches


def expired_sessions(*, at: datetime) -> QuerySet[Session]:
    """Those whose cookie is refused."""
    return Session.objects.filter(expire_date__lte=at)


def clean_sessions(*, at: datetime) -> Iterator[int]:
    """Delete those expired `at` that moment; yields how many each short transaction deleted."""
    return delete_in_batches(expired_sessions(at=at))
