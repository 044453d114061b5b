"""What a client can discover about OpenID Connect here (Discovery section 3)."""

from collections.abc import Collection
from typing import Any

from django.conf import settings

from oauth_provider.openid.claims import CLAIMS
from oauth_provider.scopes.openid import OPENID

_OF_THE_SIGN_IN = ("iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash")


def openid_metadata(scopes: Collection[str]) -> dict[str, Any]:
    """The keys beside those of RFC 8414; none while `openid` is not among the enabled `scopes`.

    RS256 is not listed although Discovery wants it: everything here is signed with ES256.
    """
    if OPENID not in scopes:
        return {}
    told = [name for scope, names in CLAIMS.items() if scope in scopes for name in names]
    return {
        "userinfo_endpoint": f"{settings.PUBLIC_BASE_URL}/oauth/userinfo",
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "claim_types_supported": ["normal"],
        "claims_supported": sorted({*_OF_THE_SIGN_IN, *told}),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        # Discovery takes silence for yes
        "request_uri_parameter_supported": False,
    }
