"""What may be told of a person, by the scopes she gave (OpenID Connect Core sections 5.1 and 5.4)."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from django.contrib.auth.models import User

from oauth_provider.scopes.openid import EMAIL, OPENID, PROFILE

# The claims of each scope, in the order of the specification
CLAIMS: Final[Mapping[str, tuple[str, ...]]] = {
    OPENID: ("sub",),
    PROFILE: ("name", "given_name", "family_name", "preferred_username"),
    EMAIL: ("email", "email_verified"),
}


def claims_of(user: User, *, subject: str, scopes: Collection[str]) -> dict[str, Any]:
    """The claims that `scopes` open; what is not known is left out, never null or empty (section 5.3.2).

    `email_verified` is Identity's own fact, false until somebody we believe says otherwise.
    """
    known: dict[str, Any] = {
        "sub": subject,
        "name": user.get_full_name(),
        "given_name": user.first_name,
        "family_name": user.last_name,
        "preferred_username": user.get_username(),
        "email": user.email,
    }
    if user.email:
        known["email_verified"] = user.identity.email_verified
    opened = {name for scope in scopes for name in CLAIMS.get(scope, ())}
    return {name: value for name, value in known.items() if name in opened and value != ""}
