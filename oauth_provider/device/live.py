"""Whether the device grant exists here at all: staff allow it client by client."""

from oauth_provider.clients.models import Client

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def is_device_grant_live() -> bool:
    """Whether staff let any client use it. Where none may it is neither advertised nor known, like a grant never built.

    Advertising it everywhere would have programs that read the metadata offer people a road that ends in a refusal.
    """
    return Client.objects.filter(device_grant_allowed=True).exists()
