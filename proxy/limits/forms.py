"""The form of a limit."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from oauth_provider.recorded_admin import ReasonedForm
from proxy.catalogue.models import Operation
from proxy.limits.models import AgentTier, Limit


class LimitForm(ReasonedForm):
    """So many calls, in such a time, for each of those."""

    operation = forms.ModelChoiceField(
        label=gettext_lazy("Operation"),
        queryset=Operation.objects.select_related("backend").order_by("backend__name", "operation_id"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Empty: every operation."),
    )

    class Meta:
        """What the form sets, and how it looks."""

        model = Limit
        fields = ("max_calls", "window_ms", "per", "backend", "operation", "client", "agent_tier")
        widgets = {
            "client": UnfoldAdminTextInputWidget,
            "per": UnfoldAdminRadioSelectWidget,
        }
        help_texts = {
            "max_calls": gettext_lazy("The next one is answered 429, with the seconds to wait."),
            "window_ms": gettext_lazy("60000 is a minute, 3600000 an hour, 86400000 a day."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(field := self.fields.get("agent_tier"), forms.ChoiceField):
            field.choices = [("", _("Any, or none said")), *AgentTier.choices]
