"""The token, revocation and introspection endpoints: parse, call, answer."""

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from oauth_provider.clients.models import Client
from oauth_provider.tokens.answers import Answer
from oauth_provider.tokens.client_authentication import AuthenticationError
from oauth_provider.tokens.endpoint import for_client, limited
from oauth_provider.tokens.introspection import introspect
from oauth_provider.tokens.request_body import BodyError
from oauth_provider.tokens.revocation import revoke_token
from oauth_provider.tokens.server import answer_token_request


# Clients prove themselves with their own credential; no cookie means anything here
@method_decorator(csrf_exempt, name="dispatch")
class TokenView(View):
    """RFC 6749 section 3.2."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Codes, refresh tokens and services' credentials become access tokens."""
        return limited(request, rate="token", handle=answer_token_request).response()


@method_decorator(csrf_exempt, name="dispatch")
class RevokeView(View):
    """RFC 7009."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """200 for every token, known or not (section 2.2)."""
        handle = partial(for_client, act=_revoke, rate="revoke")
        return limited(request, rate="revoke", handle=handle).response()


@method_decorator(csrf_exempt, name="dispatch")
class IntrospectView(View):
    """RFC 7662."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Only for resource servers, only about access tokens for the APIs they serve."""
        handle = partial(for_client, act=_introspect, rate="introspect")
        return limited(request, rate="introspect", handle=handle).response()


def _token(parameters: dict[str, str]) -> str:
    if "token" not in parameters:
        raise BodyError("missing_token", "Send token.")
    return parameters["token"]


def _revoke(parameters: dict[str, str], client: Client) -> Answer:
    revoke_token(token=_token(parameters), client=client)
    return Answer(200, None)


def _introspect(parameters: dict[str, str], client: Client) -> Answer:
    token = _token(parameters)
    if not client.is_confidential:
        raise AuthenticationError("public_client_introspects", client.client_id)
    return Answer(200, introspect(token=token, client=client))
