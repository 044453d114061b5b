"""When a credential was last used, for people who clean up: a write per request would only lock the row."""

from datetime import datetime, timedelta

from django.db.models import Model, Q
from django.utils import timezone

RESOLUTION = timedelta(minutes=1)


def note_use(row: Model, *, last_used_at: datetime | None) -> None:
    """Note that `row`, last used at that moment, is used now: once a minute at most."""
    now = timezone.now()
    if last_used_at is None or last_used_at < now - RESOLUTION:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - RESOLUTION)
        type(row)._default_manager.filter(stale, pk=row.pk).update(last_used_at=now)
