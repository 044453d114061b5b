"""`ui-resources/`: pages that AI clients show with a tool's result; operations name the one they show."""

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers

from oauth_provider.staff_api.fields import StrictModel
from oauth_provider.staff_api.views import Writable
from proxy.catalogue.ui_resources.models import DESCRIPTION_MAX, DOMAINS, HTML_MAX_BYTES, UiResource
from proxy.catalogue.ui_resources.origins import LENGTH_MAX, ORIGINS_MAX
from proxy.catalogue.ui_resources.save import remove_ui_resource, save_ui_resource


def _origins(help_text: str) -> Any:  # noqa: ANN401 - a field
    child = serializers.CharField(max_length=LENGTH_MAX)
    return serializers.ListField(child=child, required=False, max_length=ORIGINS_MAX, help_text=help_text)


class UiResourceSerializer(StrictModel):
    """A page of the MCP Apps extension."""

    fixed = frozenset({"uri"})
    description = serializers.CharField(max_length=DESCRIPTION_MAX, required=False, allow_blank=True)
    html = serializers.CharField(
        max_length=HTML_MAX_BYTES, trim_whitespace=False, help_text="a whole document, at most 262144 bytes"
    )
    connect_domains = _origins("https origins its scripts may fetch from")
    resource_domains = _origins("https origins of its pictures, fonts, styles and scripts")
    frame_domains = _origins("https origins of pages within it")
    operations = serializers.SerializerMethodField(help_text="which show it, as <backend>/<operation id>")

    class Meta:
        model = UiResource
        fields = ("id", "uri", "title", "description", "html", *DOMAINS, "prefers_border", "domain", "operations")

    def get_operations(self, page: UiResource) -> list[str]:
        """Sorted."""
        return sorted(f"{row.backend.name}/{row.operation_id}" for row in page.operations.all())


class UiResourceView(Writable):
    """A page; deleting one leaves the operations that showed it."""

    resource = "ui-resources"
    model = UiResource
    serializer_class = UiResourceSerializer
    filters = {"uri": lambda uri: Q(uri=uri)}
    # Where what people see may go
    access_fields = frozenset({"html", *DOMAINS})

    def get_queryset(self) -> QuerySet[UiResource]:
        """Pages with the operations that show them."""
        return UiResource.objects.prefetch_related("operations__backend")

    def make(self, values: dict[str, Any]) -> UiResource:
        """A new one, which an operation may show from now on."""
        page = UiResource(**values)
        save_ui_resource(page=page, actor=self.actor, fields=values, note=self.reason)
        return page

    def change(self, row: UiResource, values: dict[str, Any], reason: str) -> None:
        """What it shows and what it may reach."""
        for name, value in values.items():
            setattr(row, name, value)
        save_ui_resource(page=row, actor=self.actor, fields=values, note=reason)

    def remove(self, row: UiResource, reason: str) -> None:
        """Its operations answer in words alone from now on."""
        remove_ui_resource(page=row, actor=self.actor, note=reason)
