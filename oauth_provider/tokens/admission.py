"""What must hold once a client proved itself, whichever endpoint of this package it calls."""

from django.http import HttpRequest

from oauth_provider.clients.models import Client
from oauth_provider.throttle import spend
from oauth_provider.tokens.request_body import BodyError, is_json


def admit(request: HttpRequest, client: Client, *, rate: str) -> None:
    """Let the client go on, counted under the rate called `rate` if it has a secret (see `oauth_provider.throttle`).

    Raises:
        BodyError: it sent JSON, which staff did not allow it.
        ThrottledError: it asks more often than it may.
    """
    if client.is_confidential:
        spend(request, rate=rate, client_id=client.client_id)
    if is_json(request) and not client.allow_json_token_requests:
        raise BodyError("json_not_allowed", "Send the parameters as application/x-www-form-urlencoded.")
