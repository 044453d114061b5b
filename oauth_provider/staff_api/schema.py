"""The OpenAPI document of the management API, made from the code that answers."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.serializers import Serializer

from oauth_provider.staff_api.permissions import IsStaff

Function = TypeVar("Function", bound=Callable[..., Any])


class StaffTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # a registering metaclass
    """`Authorization: Bearer gh_st_…` (RFC 6750)."""

    target_class = "oauth_provider.staff_api.authentication.StaffTokenAuthentication"
    name = "staffToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ANN401 - the library's signature
        """A bearer token."""
        del auto_schema
        return {"type": "http", "scheme": "bearer", "bearerFormat": "gh_st_…"}


class StaffBasicScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # as above
    """User name and password (RFC 7617)."""

    target_class = "oauth_provider.staff_api.authentication.StaffBasicAuthentication"
    name = "basic"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ANN401 - the library's signature
        """HTTP Basic."""
        del auto_schema
        return {"type": "http", "scheme": "basic"}


class StaffSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # as above
    """The admin's cookie."""

    target_class = "oauth_provider.staff_api.authentication.StaffSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ANN401 - the library's signature
        """With X-CSRFToken beside it for what changes something."""
        del auto_schema
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class SchemaView(SpectacularJSONAPIView):
    """For every member of staff, as JSON."""

    http_method_names = ["get", "head"]
    permission_classes = (IsStaff,)


def one_or_many(serializer: type[Serializer[Any]]) -> Callable[[Function], Function]:
    """For `extend_schema_view`: a method that takes one object or a list, and answers in kind."""
    name = serializer.__name__.removesuffix("Serializer")
    either = PolymorphicProxySerializer(
        component_name=f"{name}OrList",
        serializers=[serializer, serializer(many=True)],
        resource_type_field_name=None,
        many=False,
    )
    return extend_schema(request=either, responses={201: either})
