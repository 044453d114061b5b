"""From a presented staff token to the row it stands for."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from oauth_provider.staff_tokens.create import PREFIX, checksum
from oauth_provider.staff_tokens.models import StaffToken

MAX_TOKEN = 128
# The moment of last use is for people who clean up: a write per request would only lock the row
USE_RESOLUTION = timedelta(minutes=1)


def verify_staff_token(value: str) -> StaffToken | None:
    """The live token with its user, None when there is none; notes the use, once a minute at most."""
    if not value.startswith(PREFIX) or len(value) > MAX_TOKEN:
        return None
    token = StaffToken.objects.select_related("user").filter(checksum=checksum(value)).first()
    if token is None or not token.is_live or not token.user.is_active:
        return None
    _note_use(token)
    return token


def _note_use(token: StaffToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - USE_RESOLUTION:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_RESOLUTION)
        StaffToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
