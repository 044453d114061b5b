"""What somebody is told who is about to connect a device: how not to be tricked into connecting another's."""

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from audit.ledger.origin import origin_network
from oauth_provider.device.models import DeviceCode


@dataclass(frozen=True, slots=True)
class DeviceNotice:
    """The code as it is read, and the words around it (RFC 8628 sections 3.3.1 and 5.4)."""

    code: str
    warning: str
    began: str
    place: str


def device_notice(device: DeviceCode, *, code: str) -> DeviceNotice:
    """In the active language; `code` is the user code as people read it."""
    when = date_format(device.created_at, "DATETIME_FORMAT")
    return DeviceNotice(
        code=code,
        warning=_(
            "Go on only if you started this yourself, on a device of yours that shows this code now: it is what will "
            "act for you. Whoever sends you a code or a link to this page wants to act as you: deny."
        ),
        began=_("Started on %(when)s UTC.") % {"when": when},
        place=_place(device.network),
    )


def _place(network: str) -> str:
    if not network:
        return ""
    if network == origin_network():
        return _("It was started from the network you are in now (%(network)s).") % {"network": network}
    return _("It was started from another network than the one you are in now: %(network)s.") % {"network": network}
