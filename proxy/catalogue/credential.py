"""The gateway's own credential at a backend: what may be one, and where it may go."""

from typing import Final
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MAX_CREDENTIAL: Final = 4096


def check_credential(value: str) -> None:
    """It travels as a header's value (RFC 9110 section 5.5).

    Raises:
        ValidationError: it has characters no header carries.
    """
    if not value.isascii() or not value.isprintable():
        raise ValidationError(_("Use printable ASCII characters only."))


def check_destination(*, sealed: str, before: str, now: str) -> None:
    """Never show one backend's credential to another: `sealed` was given for the upstream URL `before`.

    Raises:
        ValidationError: `now` leads to another host.
    """
    if sealed and urlsplit(before)[:2] != urlsplit(now)[:2]:
        raise ValidationError(
            {"credential": _("The upstream URL leads to another host: type the credential for it, or remove it.")}
        )
