"""From a presented staff token to the row it stands for."""

from oauth_provider.last_use import note_use
from oauth_provider.staff_tokens.create import PREFIX, checksum
from oauth_provider.staff_tokens.models import StaffToken

MAX_TOKEN = 128


def verify_staff_token(value: str) -> StaffToken | None:
    """The live token with its user, None when there is none; notes the use, once a minute at most."""
    if not value.startswith(PREFIX) or len(value) > MAX_TOKEN:
        return None
    token = StaffToken.objects.select_related("user").filter(checksum=checksum(value)).first()
    if token is None or not token.is_live or not token.user.is_active:
        return None
    note_use(token, last_used_at=token.last_used_at)
    return token
