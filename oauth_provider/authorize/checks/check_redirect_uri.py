"""The redirect URI is one the client registered, character for character."""

from django.utils.translation import gettext_lazy as _

from oauth_provider.authorize.errors import LocalError
from oauth_provider.authorize.parameters import AuthorizationRequest
from oauth_provider.authorize.redirects import is_registered
from oauth_provider.clients.models import Client


def check_redirect_uri(request: AuthorizationRequest, client: Client) -> str:
    """Return the URI to answer to; it may be left out only by a client with exactly one (RFC 6749 section 3.1.2.3).

    Raises:
        LocalError: missing or not registered (RFC 9700 section 4.1.3).
    """
    requested = request.redirect_uri
    registered = client.redirect_uris.split()
    if not requested and len(registered) == 1:
        requested = registered[0]
    if not requested:
        raise LocalError(
            "missing_redirect_uri",
            message=_("The application did not say where to return you."),
            developer=_("Send “redirect_uri”."),
            client_id=client.client_id,
        )
    if not is_registered(requested, client.redirect_uris, any_port=client.is_native):
        raise LocalError(
            "unregistered_redirect_uri",
            message=_("The application asked to return you to an address it has not registered."),
            developer=_(
                "“redirect_uri” must equal a registered one character for character: scheme, host, port, path, "
                "trailing slash and query. Only the port of a public client’s loopback address may differ."
            ),
            client_id=client.client_id,
        )
    return requested
