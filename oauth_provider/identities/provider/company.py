"""The company's identity provider, as the environment describes it."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from django.conf import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """SIGN_IN_*: `issuer` names the provider, `external_id_claim` what of its answer backends receive."""

    issuer: str
    client_id: str
    client_secret: str
    name: str
    external_id_claim: str

    @classmethod
    def configured(cls) -> Self | None:
        """The one provider there is, or None."""
        if not settings.SIGN_IN_ISSUER:
            return None
        return cls(
            issuer=settings.SIGN_IN_ISSUER,
            client_id=settings.SIGN_IN_CLIENT_ID,
            client_secret=settings.SIGN_IN_CLIENT_SECRET,
            name=settings.SIGN_IN_NAME or str(urlsplit(settings.SIGN_IN_ISSUER).hostname),
            external_id_claim=settings.SIGN_IN_EXTERNAL_ID_CLAIM,
        )

    @property
    def metadata_url(self) -> str:
        """OpenID Connect Discovery section 4: a slash that ends the issuer is taken off first."""
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
