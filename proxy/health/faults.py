"""What a backend's last fault means for those who run it, by the reason that stands in the audit log."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FAULTS: Final[Mapping[str, Promise]] = {
    "backend_unreachable": _("Nobody took the connection."),
    "backend_name_unresolved": _("Its name has no address."),
    "backend_address_refused": _("Its name leads to an address that is not called."),
    "backend_certificate_refused": _("Its certificate is not valid for its name, or not from whom you trust."),
    "backend_tls_failed": _("TLS could not be agreed on; perhaps it wants a client certificate."),
    "backend_closed_after_handshake": _("It hung up before it answered; perhaps it wants another client certificate."),
    "connect_timeout": _("Nobody took the connection in time."),
    "backend_timeout": _("It did not answer in time."),
    "backend_body_timeout": _("It did not end its answer in time."),
    "backend_closed": _("It hung up before it answered."),
    "backend_protocol_error": _("Its answer was not HTTP."),
    "backend_framing": _("Nobody could say where its answer ends."),
    "backend_body_broken": _("Its answer broke off."),
    "result_too_large": _("Its answer was too long for the result of a tool."),
    "backend_answer_too_large": _("Its answer was longer than it may be here."),
    "backend_token_refused": _("The token endpoint does not give the gateway a token."),
    "backend_token_address_refused": _("The token URL leads to an address that is not called."),
    "backend_token_unreadable": _("The token endpoint gave no token that can be sent."),
    "backend_token_unavailable": _("The token endpoint did not answer."),
    "backend_token_timeout": _("The token did not come in time."),
}


def fault_words(reason: str) -> str:
    """The words for `reason`, which may also be `status_503`."""
    if reason.startswith("status_"):
        return str(_("It answered %(status)s.") % {"status": reason.removeprefix("status_")})
    return str(FAULTS.get(reason, reason))
