"""The parts of allauth's OpenID Connect that we use: where to send a browser, and code for tokens."""

from typing import Any

from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from oauth_provider.identities.provider.adapter import CompanyAccounts
from oauth_provider.identities.provider.company import Company
from oauth_provider.identities.provider.metadata import metadata


class CompanyProtocol(OpenIDConnectOAuth2Adapter):
    """Reads metadata that were checked, and returns to the one address that was registered."""

    def __init__(self, request: HttpRequest, company: Company) -> None:
        super().__init__(request, company.issuer)
        self._company = company

    @property
    def openid_config(self) -> dict[str, Any]:
        """The provider's metadata.

        Raises:
            ProviderFault: see `metadata`.
        """
        return metadata(self._company)

    def get_callback_url(self, request: HttpRequest, app: object) -> str:
        """What is registered with the provider."""
        del request, app
        return callback_url()

    def get_provider(self) -> "CompanyProvider":
        """The provider that goes with it."""
        app = CompanyAccounts().get_app(self.request, self.provider_id)
        return CompanyProvider(self.request, app=app, protocol=self)


class CompanyProvider(OpenIDConnectProvider):
    """Builds the request and keeps its state in the session, single use, for ten minutes."""

    def __init__(self, request: HttpRequest, *, app: object, protocol: CompanyProtocol) -> None:
        super().__init__(request, app=app)
        self._protocol = protocol

    def get_oauth2_adapter(self, request: HttpRequest) -> CompanyProtocol:
        """The one it was made with."""
        del request
        return self._protocol


def callback_url() -> str:
    """Where the provider sends people back to."""
    return f"{settings.PUBLIC_BASE_URL}{reverse('sign-in-callback')}"
