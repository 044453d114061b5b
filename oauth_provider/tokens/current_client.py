"""Before a token request is answered: a client that is described by its document is known as it is now."""

from collections.abc import Mapping

from django.http import HttpRequest

from oauth_provider.clients.models import Client
from oauth_provider.registration.documents.addresses import looks_like_address
from oauth_provider.registration.documents.arrive import bring_up_to_date, document_of
from oauth_provider.registration.documents.errors import DocumentError
from oauth_provider.tokens.client_assertion import claimed_client, prove_by_assertion
from oauth_provider.tokens.client_authentication import UnknownClientError


def prove_current(request: HttpRequest, parameters: Mapping[str, str]) -> Client | None:
    """The client that signed the assertion of the request, None when it has none; may take as long as two fetches.

    Raises:
        AuthenticationError: the assertion proves nothing, or the client's document is gone for too long.
        ThrottledError: too many documents were asked for.
    """
    for url in {parameters.get("client_id", ""), claimed_client(parameters)}:
        _bring_up_to_date(url, request)
    return prove_by_assertion(authorization=request.headers.get("Authorization", ""), parameters=parameters)


def _bring_up_to_date(url: str, request: HttpRequest) -> None:
    # A client that is described by its document is known since somebody authorized it: no stranger's is asked for here
    if looks_like_address(url) and len(url) <= 255 and "\x00" not in url and document_of(url) is not None:
        try:
            bring_up_to_date(url=url, request=request)
        except DocumentError as error:
            raise UnknownClientError(error.reason, url) from error
