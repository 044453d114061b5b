"""The UserInfo endpoint as a resource: the audience of tokens for which only OpenID scopes were asked (RFC 8707)."""

from typing import Final

from oauth_provider.resources.models import Resource

PATH: Final = "/oauth/userinfo"


def userinfo_resource() -> Resource:
    """Made when it is first asked for; a title that staff gave it stays."""
    resource, _created = Resource.objects.get_or_create(path=PATH, defaults={"title": "Who you are"})
    return resource
