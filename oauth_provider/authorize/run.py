"""The order in which an authorization request is examined."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from oauth_provider.authorize.checks.check_ceiling import check_ceiling
from oauth_provider.authorize.checks.check_id_token_hint import check_id_token_hint
from oauth_provider.authorize.checks.check_max_age import check_max_age
from oauth_provider.authorize.checks.check_pkce import check_pkce
from oauth_provider.authorize.checks.check_prompt import check_prompt
from oauth_provider.authorize.checks.check_redirect_uri import check_redirect_uri
from oauth_provider.authorize.checks.check_resource import check_resource
from oauth_provider.authorize.checks.check_response_type import check_response_type
from oauth_provider.authorize.checks.check_scope import check_scope
from oauth_provider.authorize.checks.check_unsupported import check_unsupported
from oauth_provider.authorize.checks.load_client import load_client
from oauth_provider.authorize.parameters import AuthorizationRequest
from oauth_provider.clients.models import Client
from oauth_provider.resources.models import Resource
from oauth_provider.scopes.models import Scope


@dataclass(frozen=True, slots=True)
class Answerable:
    """A request whose client and redirect URI are proven, so that errors may be sent there."""

    request: AuthorizationRequest
    client: Client
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Acceptable:
    """A request that may be put before a person."""

    answerable: Answerable
    resource: Resource
    scopes: tuple[Scope, ...]
    max_age_s: int | None
    hinted_subject: str = ""


def establish(request: AuthorizationRequest) -> Answerable:
    """Prove who asks and where the answer may go.

    Raises:
        LocalError: either cannot be proven, so nothing may be redirected.
    """
    client = load_client(request)
    return Answerable(request=request, client=client, redirect_uri=check_redirect_uri(request, client))


def examine(answerable: Answerable, user: User) -> Acceptable:
    """Examine the rest, for `user`, who is signed in.

    Raises:
        RedirectError: the first check that fails.
    """
    request, client = answerable.request, answerable.client
    check_unsupported(request)
    check_response_type(request)
    check_pkce(request, client)
    resource = check_resource(request, client)
    scopes = check_ceiling(check_scope(request, client), user)
    check_prompt(request, signed_in=True)
    return Acceptable(
        answerable=answerable,
        resource=resource,
        scopes=scopes,
        max_age_s=check_max_age(request),
        hinted_subject=check_id_token_hint(request),
    )
