"""The client's own document is known, for a client whose id is the address of one."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from oauth_provider.authorize.errors import LocalError
from oauth_provider.authorize.parameters import AuthorizationRequest
from oauth_provider.clients.models import Client
from oauth_provider.registration.documents.addresses import looks_like_address
from oauth_provider.registration.documents.arrive import bring_up_to_date, check_arrival
from oauth_provider.registration.documents.errors import DocumentError, UnavailableError, UnwelcomeError


def load_document(asked: AuthorizationRequest, *, request: HttpRequest, signed_in: bool) -> bool:
    """Know what the document says now; False when that has to wait until somebody is signed in.

    A stranger's browser makes this server ask nobody: only what could never be right is refused before the sign-in.

    Raises:
        LocalError: the document cannot be had, or describes no client that may come in.
        ThrottledError: too many documents were asked for.
    """
    url = asked.client_id
    if not looks_like_address(url):
        return True
    try:
        if signed_in:
            bring_up_to_date(url=url, request=request)
            return True
        if Client.objects.filter(client_id=url).exists():
            return True
        check_arrival(url)
    except DocumentError as error:
        raise _refusal(error) from error
    return False


def _refusal(error: DocumentError) -> LocalError:
    if isinstance(error, UnwelcomeError):
        message = _("The operator of this server did not let this application in.")
        return LocalError(error.reason, message=message, status=403)
    message = _("This application could not be identified.")
    if isinstance(error, UnavailableError):
        advice = _("Try again in a few minutes.")
        # The page names no reason: whoever writes client ids would explore a network by it. The ledger has it
        return LocalError("document_unavailable", message=message, advice=advice, developer=error.description)
    return LocalError(error.reason, message=message, developer=error.description)
