"""The form of an MCP server."""

from typing import Any

from django import forms
from django.db.models import Q
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from oauth_provider.recorded_admin import ReasonedForm
from proxy.catalogue.models import Operation
from proxy.catalogue.servers.models import McpServer, offerable


class ServerForm(ReasonedForm):
    """A choice of tools, and what people and models read of it."""

    access_fields = frozenset({"operations", "enabled"})

    class Meta:
        """What the form sets, and how it looks."""

        model = McpServer
        fields = ("name", "title", "instructions", "operations", "enabled")
        widgets = {
            "name": UnfoldAdminTextInputWidget(attrs={"placeholder": "careers"}),
            "instructions": UnfoldAdminTextareaWidget(attrs={"rows": 4}),
            "enabled": UnfoldBooleanSwitchWidget,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "name" in self.fields:
            self.fields["name"].disabled = True
        if isinstance(field := self.fields.get("operations"), forms.ModelMultipleChoiceField):
            # What it offered before may stay, tool or not
            kept = offerable()
            if self.instance.pk:
                kept |= Q(servers=self.instance.pk)
            field.queryset = Operation.objects.select_related("backend").filter(kept).distinct()
