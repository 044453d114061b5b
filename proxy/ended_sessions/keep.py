"""Remember that a session was ended, and ask for it: rows of the database, so that every worker agrees at once."""

from datetime import datetime
from typing import Final

from django.utils import timezone

from proxy.ended_sessions.models import EndedSession

# Each new one takes so many old ones away, so that nobody has to clean up and no statement takes long
FORGOTTEN_AT_ONCE: Final = 100


def end(*, digest: str, until: datetime) -> None:
    """Remember the session of `digest`, a SHA-256, up to `until`; once it is remembered this does nothing."""
    over = EndedSession.objects.filter(expires_at__lte=timezone.now()).values_list("pk", flat=True)
    EndedSession.objects.filter(pk__in=list(over[:FORGOTTEN_AT_ONCE])).delete()
    EndedSession.objects.bulk_create([EndedSession(digest=digest, expires_at=until)], ignore_conflicts=True)


def is_ended(*, digest: str) -> bool:
    """Whether the session of `digest` was ended."""
    return EndedSession.objects.filter(pk=digest).exists()
