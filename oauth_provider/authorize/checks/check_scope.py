"""The scopes exist, are enabled, and staff allowed them to this client. A request for nothing is never all.

Clients ask for whatever a challenge or the metadata names, which is everything there is for anybody. So what this
client may not have is left out (RFC 6749 section 3.3), and the token says so; what nobody could have is an error.
"""

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest
from oauth_provider.clients.models import Client
from oauth_provider.scopes.models import Scope


def check_scope(request: AuthorizationRequest, client: Client) -> tuple[Scope, ...]:
    """Return the scopes to show, in the order they were asked for.

    Raises:
        RedirectError: ``invalid_scope`` (RFC 6749 section 4.1.2.1).
    """
    asked = list(dict.fromkeys(request.scope.split()))
    known = {scope.name: scope for scope in Scope.objects.filter(name__in=asked or client.askable_scopes)}
    allowed = {name: scope for name, scope in known.items() if scope.enabled and name in client.askable_scopes}
    if not asked:
        scopes = _defaults(client, allowed)
        if not scopes:
            raise RedirectError("invalid_scope", "name the scopes: this client has no default", reason="no_scope")
        return scopes
    if not allowed or len(known) < len(asked):
        raise RedirectError("invalid_scope", "a requested scope is unknown or not allowed to this client")
    return tuple(allowed[name] for name in asked if name in allowed)


def _defaults(client: Client, allowed: dict[str, Scope]) -> tuple[Scope, ...]:
    chosen = client.default_scopes.split()
    if chosen:
        return tuple(allowed[name] for name in chosen if name in allowed)
    # Who the person is was not asked
    own = client.scope_set
    return tuple(scope for name, scope in sorted(allowed.items()) if scope.sensitivity == "normal" and name in own)
