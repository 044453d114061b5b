"""Where a client of one API finds the authorization server's endpoints."""

from django.conf import settings


def oauth_root(api: str) -> str:
    """The URL below which `authorize` and `token` are for clients of the API at the path `api`.

    Clients that were configured with the alias below their API, as a GPT's editor wants it, find the same there.
    """
    alias = f"{api}/oauth"
    return f"{settings.PUBLIC_BASE_URL}{alias if alias in settings.OAUTH_ALIAS_PREFIXES else '/oauth'}"
