"""`id_token_hint` (OpenID Connect Core section 3.1.2.1): whom the client expects."""

from django.contrib.auth.models import User

from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.parameters import AuthorizationRequest
from oauth_provider.identities.external_id import user_ref
from oauth_provider.openid.id_token import ForeignHintError, hinted_subject


def check_id_token_hint(request: AuthorizationRequest) -> str:
    """Return the subject of the hint, "" without one. It may have expired, and may have been another client's.

    Raises:
        RedirectError: it is no ID token of this server.
    """
    if not request.id_token_hint:
        return ""
    try:
        return hinted_subject(request.id_token_hint)
    except ForeignHintError:
        raise RedirectError(
            "invalid_request", "id_token_hint is no ID token of this server", reason="foreign_id_token_hint"
        ) from None


def is_hinted(user: User, *, subject: str) -> bool:
    """Whether `user` is whom the client expects; anybody is when it expects nobody."""
    return not subject or user_ref(user).external_id == subject
