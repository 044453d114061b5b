"""What the provider says of itself (OpenID Connect Discovery), remembered for ten minutes, and its keys."""

import json
from typing import Any

from django.core.cache import cache
from joserfc.jwk import KeySet

from oauth_provider.identities.provider.company import Company
from oauth_provider.identities.provider.errors import ProviderFault
from oauth_provider.outbound.fetch import FetchError, fetch
from oauth_provider.outbound.jwks import KeysUnavailableError, keys_at

REMEMBERED_S = 600
REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_SECURE = ("https://", "http://127.0.0.1:", "http://[::1]:", "http://localhost:")


def metadata(company: Company) -> dict[str, Any]:
    """The provider's metadata.

    Raises:
        ProviderFault: it cannot be read, lacks an endpoint, or is another issuer's (section 4.3).
    """
    name = f"sign-in:{company.metadata_url}"
    found: dict[str, Any] | None = cache.get(name)
    if found is None:
        found = fetch_json(company.metadata_url)
        cache.set(name, found, REMEMBERED_S)
    if found.get("issuer") != company.issuer:
        raise ProviderFault("provider_is_another_issuer")
    if not all(_is_secure(found.get(endpoint)) for endpoint in REQUIRED):
        raise ProviderFault("provider_metadata_incomplete")
    return found


def further_endpoint(company: Company, name: str) -> str:
    """An endpoint that providers need not have, "" when this one has none that can be used.

    Raises:
        ProviderFault: see `metadata`.
    """
    found = metadata(company).get(name)
    return str(found) if _is_secure(found) else ""


def _is_secure(url: object) -> bool:
    return isinstance(url, str) and url.startswith(_SECURE)


def keys(company: Company, kid: str) -> KeySet:
    """The keys its ID tokens are signed with, the one called `kid` among them if there is such a key.

    Raises:
        ProviderFault: they cannot be read.
    """
    try:
        return keys_at(metadata(company)["jwks_uri"], allow_private=True, kid=kid)
    except KeysUnavailableError as fault:
        raise ProviderFault("provider_keys_unreadable") from fault


def fetch_json(url: str, **headers: str) -> dict[str, Any]:
    """A JSON object from the provider, which the operator chose and may have inside the company.

    Raises:
        ProviderFault: no answer in time, or another one.
    """
    try:
        answer = fetch(url=url, allow_private=True, headers=headers)
        found = json.loads(answer.body) if answer.status == 200 else None
    except FetchError as fault:
        raise ProviderFault("provider_unreachable") from fault
    except (ValueError, RecursionError) as fault:
        raise ProviderFault("provider_answer_unreadable") from fault
    if not isinstance(found, dict):
        raise ProviderFault("provider_answer_unreadable")
    return found
