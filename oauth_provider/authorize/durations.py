"""For how long a person allows a client to act: a choice on the consent page, and when it is over."""

from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Duration(StrEnum):
    """The values of the form's `duration`."""

    DAY = "1-day"
    MONTH = "30-days"
    UNTIL_REVOKED = "until-revoked"

    @property
    def words(self) -> Promise:
        """As a person reads it."""
        return _WORDS[self]

    def ends_at(self, start: datetime) -> datetime | None:
        """When what was allowed at `start` is over; None when only revoking ends it."""
        length = _LENGTHS.get(self)
        return None if length is None else start + length


# A form without the choice, as a script may send it, allows no more than the page does when nothing is touched
DEFAULT = Duration.MONTH
_LENGTHS = {Duration.DAY: timedelta(days=1), Duration.MONTH: timedelta(days=30)}
_WORDS = {
    Duration.DAY: _("1 day"),
    Duration.MONTH: _("30 days"),
    Duration.UNTIL_REVOKED: _("Until I revoke it"),
}
