"""X-Reason: why somebody changed something, kept with the event."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

HEADER = "X-Reason"
MAX = 500


def given_reason(request: Request) -> str:
    """The reason the request gives, "" without one; at most 500 characters, as UTF-8 or Latin-1."""
    raw = request.META.get("HTTP_X_REASON", "").strip()
    try:
        text = raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        text = raw
    return "".join(character for character in text if character.isprintable())[:MAX]


def required_reason(request: Request) -> str:
    """The reason of a change by which somebody gains or loses access.

    Raises:
        ValidationError: there is none; the answer names the header.
    """
    reason = given_reason(request)
    if not reason:
        raise ValidationError({HEADER: [_("Say why in this header: by this change somebody gains or loses access.")]})
    return reason
