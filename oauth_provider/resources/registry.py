"""The registry of resources: what may be asked for, and nothing else."""

import re
from urllib.parse import urlsplit

from django.conf import settings

from oauth_provider.resources.models import Resource

# Characters that urlsplit strips, so that what is compared would not be what was sent
_REPAIRED = re.compile(r"[\x00-\x20\x7f]")


def register(*, path: str, title: str) -> Resource:
    """Make the API under `path` a resource that tokens can be bound to."""
    resource, _created = Resource.objects.update_or_create(path=path, defaults={"title": title})
    return resource


def find(identifier: str) -> Resource | None:
    """The registered resource with this identifier, or None.

    Scheme and host compare without case and one trailing slash is forgiven; all else is exact (RFC 8707 section 2
    forbids fragments; the MCP specification asks for the canonical form without a trailing slash).
    """
    if _REPAIRED.search(identifier):
        return None
    try:
        parts = urlsplit(identifier)
    except ValueError:
        return None
    if parts.query or parts.fragment or "#" in identifier or "?" in identifier:
        return None
    if f"{parts.scheme}://{parts.netloc}".lower() != settings.PUBLIC_BASE_URL.lower():
        return None
    return Resource.objects.filter(path=parts.path.removesuffix("/")).first()
