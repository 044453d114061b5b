"""Where a document comes from: a file of whoever runs a command, or an address."""

from http import HTTPStatus
from pathlib import Path

from django.utils.translation import gettext as _

from oauth_provider.outbound.fetch import (
    AddressRefusedError,
    DeadlinePassedError,
    FetchError,
    TooLargeError,
    fetch,
)
from proxy.catalogue.models import Backend
from proxy.catalogue.openapi_import.faults import BadDocument
from proxy.catalogue.openapi_import.read import MAX_BYTES

ACCEPT = "application/vnd.oai.openapi+json, application/json, application/yaml, text/yaml;q=0.9, */*;q=0.1"
WITHIN_S = 30.0


def is_url(source: str) -> bool:
    """Whether `source` is an address and no file."""
    return source.startswith(("http://", "https://"))


def file_content(path: str) -> bytes:
    """What a file holds, as far as it is worth reading.

    Raises:
        BadDocument: it cannot be read.
    """
    try:
        with Path(path).open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as fault:
        raise BadDocument(_("%(path)s cannot be read: %(fault)s") % {"path": path, "fault": fault}) from None


def url_content(url: str, *, backend: Backend, max_bytes: int = MAX_BYTES) -> bytes:
    """What an address answers; private addresses and http only for a backend that is internal itself.

    Raises:
        BadDocument: it is not fetched, or does not answer with a document.
    """
    try:
        fetched = fetch(
            url=url, accept=ACCEPT, max_bytes=max_bytes, timeout_s=WITHIN_S, allow_private=backend.allow_private
        )
    except FetchError as fault:
        raise BadDocument(_words(fault, max_bytes)) from None
    if HTTPStatus.MULTIPLE_CHOICES <= fetched.status < HTTPStatus.BAD_REQUEST:
        raise BadDocument(_("The address leads on to another one, which is not followed: give that one."))
    if fetched.status != HTTPStatus.OK:
        raise BadDocument(_("The address answers %(status)d, not 200.") % {"status": fetched.status})
    return fetched.body


def _words(fault: FetchError, max_bytes: int) -> str:
    if isinstance(fault, AddressRefusedError):
        return _(
            "This address is not fetched. It must be https and public; http and private addresses are open only to "
            "backends with an internal address."
        )
    if isinstance(fault, TooLargeError):
        return _("The document has more than %(most)d bytes.") % {"most": max_bytes}
    if isinstance(fault, DeadlinePassedError):
        return _("The address took longer than %(seconds)d seconds.") % {"seconds": WITHIN_S}
    return _("Nobody answers at this address as HTTP says.")
