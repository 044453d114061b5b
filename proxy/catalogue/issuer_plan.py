"""An external issuer as the data plane knows it: what the snapshot carries, and the slice of the issuers fills in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class IssuerPlan:
    """Whose JWTs count beside our own tokens. `issuer` is compared with `iss` letter by letter.

    `claims` says which claim of a token holds what: the keys are `user`, `client`, `tenant`, `roles` and `scopes`.
    """

    name: str
    issuer: str
    audiences: frozenset[str]
    jwks_url: str
    algorithms: frozenset[str]
    claims: Mapping[str, str] = field(default_factory=dict)
    allow_private: bool = False

    @property
    def is_auth0(self) -> bool:
        """Whether it is a tenant of Auth0, by its host or by the name staff gave it."""
        host = urlsplit(self.issuer).hostname or ""
        return self.name == "auth0" or host.endswith(".auth0.com")


Issuers = Mapping[str, IssuerPlan]
ReadIssuers = Callable[[], Issuers]


def no_issuers() -> Issuers:
    """Nobody's tokens but our own count."""
    return {}
