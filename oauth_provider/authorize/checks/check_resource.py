"""Which resource the token will be for: exactly one that exists here (RFC 8707)."""

from django.conf import settings

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest
from oauth_provider.clients.models import Client
from oauth_provider.resources.models import Resource
from oauth_provider.resources.registry import find


def check_resource(request: AuthorizationRequest, client: Client) -> Resource:
    """Return the resource asked for, or the client's default; never "any".

    Raises:
        RedirectError: ``invalid_target`` (RFC 8707 section 2).
    """
    asked = set(request.resource)
    if len(asked) > 1:
        raise RedirectError("invalid_target", "name one resource", reason="several_resources")
    if not asked and not client.default_resource:
        raise RedirectError("invalid_target", "name a resource: this client has no default", reason="no_resource")
    identifier = asked.pop() if asked else f"{settings.PUBLIC_BASE_URL}{client.default_resource}"
    resource = find(identifier)
    if resource is None:
        raise RedirectError("invalid_target", "the resource is not known here", reason="unknown_resource")
    return resource
