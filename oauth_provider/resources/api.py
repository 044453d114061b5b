"""`resources/`: what access tokens are good for."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from oauth_provider.resources.models import Resource
from oauth_provider.resources.save import answered_paths, remove_resource, save_resource
from oauth_provider.staff_api.fields import StrictModel
from oauth_provider.staff_api.views import Writable


@extend_schema_field({"type": "string", "format": "uri"})
class IdentifierField(serializers.CharField):
    """The issuer and a path; the model keeps the path."""

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever was sent
        """The path.

        Raises:
            ValidationError: it lies at another origin, or has a query, a fragment or a slash at the end.
        """
        text = super().to_internal_value(data)
        path = text.removeprefix(settings.PUBLIC_BASE_URL)
        is_plain = path.isascii() and path.isprintable() and not set(path) & set(' ?#\\"<>')
        if path == text or not path.startswith("/") or path.endswith("/") or not is_plain:
            words = _("Begins with %(issuer)s/, without query, fragment or a slash at the end.")
            raise serializers.ValidationError(words % {"issuer": settings.PUBLIC_BASE_URL})
        return path

    def to_representation(self, value: Any) -> str:  # noqa: ANN401 - the model's path
        """The whole identifier."""
        return f"{settings.PUBLIC_BASE_URL}{value}"


class ResourceSerializer(StrictModel):
    """A protected API."""

    identifier = IdentifierField(source="path", max_length=200)
    scopes = serializers.SerializerMethodField(help_text="what the operations of its backend or MCP server require")

    class Meta:
        model = Resource
        fields = ("id", "identifier", "scopes", "token_format")

    def get_scopes(self, resource: Resource) -> list[str]:
        """Sorted by name."""
        answered: Mapping[str, list[str]] = self.context["view"].answered
        return answered.get(resource.path, [])


class ResourceView(Writable):
    """Backends and MCP servers make theirs themselves; another is an API that introspects its tokens."""

    resource = "resources"
    model = Resource
    serializer_class = ResourceSerializer
    renamed = {"path": "identifier"}

    @cached_property
    def answered(self) -> dict[str, list[str]]:
        """The paths of backends and MCP servers, and their scopes: read once for a whole list."""
        return answered_paths()

    def make(self, values: dict[str, Any]) -> Resource:
        """A new one."""
        resource = Resource(**values)
        save_resource(resource=resource, actor=self.actor, fields=values, note=self.reason)
        return resource

    def change(self, row: Resource, values: dict[str, Any], reason: str) -> None:
        """Its token format; its identifier too, unless a backend or an MCP server answers there.

        Raises:
            ValidationError: one does.
        """
        if "identifier" in values:
            if row.path in self.answered:
                raise serializers.ValidationError({"identifier": [_("A backend or an MCP server answers there.")]})
            row.path = values["identifier"]
        row.token_format = values.get("token_format", row.token_format)
        save_resource(resource=row, actor=self.actor, fields=values, note=reason)

    def remove(self, row: Resource, reason: str) -> None:
        """Only one that nobody uses."""
        remove_resource(resource=row, actor=self.actor, note=reason)
