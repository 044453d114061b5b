"""What the provider says of itself (OpenID Connect Discovery), and its keys; remembered for ten minutes."""

from collections.abc import Mapping
from typing import Any

import requests
from allauth.socialaccount.adapter import get_adapter
from django.core.cache import cache
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from oauth_provider.identities.provider.company import Company
from oauth_provider.identities.provider.errors import ProviderFault

REMEMBERED_S = 600
# A key we do not know may be new; asked for at most this often
KEYS_FLOOR_S = 30
REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_SECURE = ("https://", "http://127.0.0.1:", "http://[::1]:", "http://localhost:")


def metadata(company: Company) -> dict[str, Any]:
    """The provider's metadata.

    Raises:
        ProviderFault: it cannot be read, lacks an endpoint, or is another issuer's (section 4.3).
    """
    found = _remembered(company.metadata_url)
    if found.get("issuer") != company.issuer:
        raise ProviderFault("provider_is_another_issuer")
    if not all(str(found.get(name, "")).startswith(_SECURE) for name in REQUIRED):
        raise ProviderFault("provider_metadata_incomplete")
    return found


def keys(company: Company, *, again: bool) -> KeySet:
    """The keys its ID tokens are signed with; `again` asks once more, for a key that is not among them.

    Raises:
        ProviderFault: they cannot be read.
    """
    url = metadata(company)["jwks_uri"]
    if again and cache.add(f"sign-in:asked:{url}", value=True, timeout=KEYS_FLOOR_S):
        cache.delete(_key(url))
    try:
        return KeySet.import_key_set({"keys": _usable(_remembered(url))})
    except (JoseError, ValueError, TypeError, KeyError) as fault:
        raise ProviderFault("provider_keys_unreadable") from fault


def _usable(document: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON of others, checked by the library
    # Encryption keys and families we do not take are no fault of the set
    found = document.get("keys")
    if not isinstance(found, list):
        raise ProviderFault("provider_keys_unreadable")
    return [
        key
        for key in found
        if isinstance(key, dict) and key.get("use", "sig") == "sig" and key.get("kty") in {"RSA", "EC", "OKP"}
    ]


def _remembered(url: str) -> dict[str, Any]:
    found: dict[str, Any] | None = cache.get(_key(url))
    if found is None:
        found = fetch_json(url)
        cache.set(_key(url), found, REMEMBERED_S)
    return found


def fetch_json(url: str, **headers: str) -> dict[str, Any]:
    """A JSON object from the provider.

    Raises:
        ProviderFault: no answer in time, or another one.
    """
    try:
        with get_adapter().get_requests_session() as session:
            response = session.get(url, headers=headers)
            found = response.json() if response.status_code == 200 else None
    except (requests.RequestException, ValueError) as fault:
        raise ProviderFault("provider_unreachable") from fault
    if not isinstance(found, dict):
        raise ProviderFault("provider_answer_unreadable")
    return found


def _key(url: str) -> str:
    return f"sign-in:{url}"
