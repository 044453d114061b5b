"""The scopes exist, are enabled, and staff allowed them to this client. A request for nothing is never all."""

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest
from oauth_provider.clients.models import Client
from oauth_provider.scopes.models import Scope


def check_scope(request: AuthorizationRequest, client: Client) -> tuple[Scope, ...]:
    """Return the scopes to show, in the order they were asked for.

    Raises:
        RedirectError: ``invalid_scope`` (RFC 6749 section 4.1.2.1).
    """
    allowed = {scope.name: scope for scope in Scope.objects.filter(enabled=True, name__in=client.askable_scopes)}
    asked = list(dict.fromkeys(request.scope.split()))
    if not asked:
        scopes = _defaults(client, allowed)
        if not scopes:
            raise RedirectError("invalid_scope", "name the scopes: this client has no default", reason="no_scope")
        return scopes
    # Unknown and forbidden read alike, so that the list of scopes cannot be probed.
    if any(name not in allowed for name in asked):
        raise RedirectError("invalid_scope", "a requested scope is unknown or not allowed to this client")
    return tuple(allowed[name] for name in asked)


def _defaults(client: Client, allowed: dict[str, Scope]) -> tuple[Scope, ...]:
    chosen = client.default_scopes.split()
    if chosen:
        return tuple(allowed[name] for name in chosen if name in allowed)
    # Who the person is was not asked
    own = client.scope_set
    return tuple(scope for name, scope in sorted(allowed.items()) if scope.sensitivity == "normal" and name in own)
