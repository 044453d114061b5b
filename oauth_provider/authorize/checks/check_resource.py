"""Which resource the token will be for: exactly one that exists here (RFC 8707)."""

from django.conf import settings

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest
from oauth_provider.clients.models import Client
from oauth_provider.openid.resource import PATH, userinfo_resource
from oauth_provider.resources.models import Resource
from oauth_provider.resources.registry import find
from oauth_provider.scopes.openid import OPENID_SCOPES


def check_resource(request: AuthorizationRequest, client: Client) -> Resource:
    """Return the resource asked for, the client's default, or for a mere sign-in UserInfo; never "any".

    Raises:
        RedirectError: ``invalid_target`` (RFC 8707 section 2).
    """
    asked = set(request.resource)
    if _is_about_the_person(request, asked):
        return userinfo_resource()
    if len(asked) > 1:
        raise RedirectError("invalid_target", "name one resource", reason="several_resources")
    if not asked and not client.default_resource:
        raise RedirectError("invalid_target", "name a resource: this client has no default", reason="no_resource")
    identifier = asked.pop() if asked else f"{settings.PUBLIC_BASE_URL}{client.default_resource}"
    resource = find(identifier)
    if resource is None:
        raise RedirectError("invalid_target", "the resource is not known here", reason="unknown_resource")
    return resource


def _is_about_the_person(request: AuthorizationRequest, asked: set[str]) -> bool:
    # A sign-in that names no API gets a token that opens none, whatever the client's default is
    if asked:
        return asked == {f"{settings.PUBLIC_BASE_URL}{PATH}"}
    scopes = set(request.scope.split())
    return bool(scopes) and scopes <= OPENID_SCOPES
