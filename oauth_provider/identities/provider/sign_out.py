"""Sign out at the provider too (OpenID Connect RP-Initiated Logout 1.0)."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse

from oauth_provider.identities.provider.company import Company
from oauth_provider.identities.provider.errors import ProviderFault
from oauth_provider.identities.provider.metadata import further_endpoint
from oauth_provider.keys.encryption import Undecipherable, decrypt, encrypt

_KEPT = "provider_sign_out"


def keep_for_sign_out(session: SessionBase, *, id_token: str, company: Company) -> None:
    """Keep the ID token, sealed, where the provider can end its own session: it says which one."""
    if further_endpoint(company, "end_session_endpoint"):
        session[_KEPT] = encrypt(id_token.encode())


def sign_out_url(session: SessionBase) -> str:
    """Where a browser whose session here ends is sent to, "" when the provider has no such place or did not sign in."""
    company = Company.configured()
    sealed = session.get(_KEPT)
    if company is None or not sealed:
        return ""
    try:
        place = further_endpoint(company, "end_session_endpoint")
        hint = decrypt(sealed).decode()
    except (ProviderFault, Undecipherable):
        # She is signed out here all the same
        return ""
    query = {
        "id_token_hint": hint,
        "client_id": company.client_id,
        "post_logout_redirect_uri": f"{settings.PUBLIC_BASE_URL}{reverse('login')}",
    }
    return f"{place}{'&' if '?' in place else '?'}{urlencode(query)}" if place else ""
