"""What a person may ever give, whoever asks: a ceiling that staff set for some people."""

from collections.abc import Iterable

from django.contrib.auth.models import User

from oauth_provider.identities.models import Identity
from oauth_provider.scopes.openid import OPENID_SCOPES


def ceiling_of(user: User) -> str | None:
    """Names of the permissions, separated by blanks; None without a ceiling."""
    identity: Identity | None = getattr(user, "identity", None)
    return identity.grantable_scopes if identity else None


def within_ceiling(user: User, names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that `user` may give; what is about the person alone, as OpenID has it, is always theirs."""
    ceiling = ceiling_of(user)
    return frozenset(names) if ceiling is None else (OPENID_SCOPES | set(ceiling.split())) & set(names)
