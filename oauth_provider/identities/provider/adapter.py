"""django-allauth, told that there is one provider, from the environment, and how its calls are made."""

from functools import partial
from typing import Any

import requests
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from django.http import HttpRequest

from oauth_provider.identities.provider.company import Company

TIMEOUT_S = 5.0


class CompanyAccounts(DefaultSocialAccountAdapter):
    """Named by SOCIALACCOUNT_ADAPTER."""

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> SocialApp:
        """The company's provider. Its id is its issuer: an account's link is then the issuer and the subject.

        Raises:
            SocialApp.DoesNotExist: none is configured.
        """
        del request, provider, client_id
        company = Company.configured()
        if company is None:
            raise SocialApp.DoesNotExist
        return SocialApp(
            provider="openid_connect",
            provider_id=company.issuer,
            name=company.name,
            client_id=company.client_id,
            secret=company.client_secret,
            settings={"server_url": company.metadata_url, "oauth_pkce_enabled": True},
        )

    def get_requests_session(self) -> requests.Session:
        """A session that waits five seconds, follows no redirect and reads nothing from the machine's own files."""
        session: Any = requests.Session()
        session.trust_env = False
        session.request = partial(session.request, timeout=TIMEOUT_S, allow_redirects=False)
        found: requests.Session = session
        return found
