"""The API key that a deployment's environment describes."""

from django.db import transaction

from oauth_provider.api_keys.create import create_api_key
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.api_keys.verify import checksum
from oauth_provider.scopes.live import scopes_of_apis

NAME = "GATEWAY_API_KEY"


@transaction.atomic
def bootstrap_api_key(*, key: str) -> None:
    """Create the key, or give the existing one its new value; running it twice changes nothing.

    A new one gets every scope that is enabled now; what staff change later stays. One that staff revoked stays
    revoked until the environment holds another value.
    """
    row = ApiKey.objects.select_for_update().filter(name=NAME).first()
    if row is not None and row.checksum == checksum(key):
        return
    scopes = row.scopes if row else " ".join(scopes_of_apis())
    create_api_key(name=NAME, scopes=scopes, actor=None, key=key)
