"""The company's Auth0 tenant, as the environment describes it."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """AUTH0_*. `redirect_hosts` are where a client may send people back to, if it is to be promoted."""

    origin: str
    client_id: str
    client_secret: str
    webhook_secret: str
    connection_id: str
    audience: str
    scopes: tuple[str, ...]
    redirect_hosts: frozenset[str]

    @classmethod
    def configured(cls) -> Self | None:
        """The one tenant there is, or None."""
        if not settings.AUTH0_DOMAIN:
            return None
        domain = settings.AUTH0_DOMAIN
        return cls(
            origin=domain if "://" in domain else f"https://{domain}",
            client_id=settings.AUTH0_MGMT_CLIENT_ID,
            client_secret=settings.AUTH0_MGMT_CLIENT_SECRET,
            webhook_secret=settings.AUTH0_LOG_WEBHOOK_SECRET,
            connection_id=settings.AUTH0_CONNECTION_ID,
            audience=settings.AUTH0_AUDIENCE,
            scopes=tuple(settings.AUTH0_SCOPES),
            redirect_hosts=frozenset(settings.AUTH0_REDIRECT_HOSTS),
        )
