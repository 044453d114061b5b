"""The form of a page for tools."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from oauth_provider.lines_field import LinesField
from oauth_provider.recorded_admin import ReasonedForm
from proxy.catalogue.ui_resources.models import DOMAINS, UiResource


class DocumentField(forms.CharField):
    """A document as it was written: browsers send every line of it with another ending."""

    widget = UnfoldAdminTextareaWidget

    def to_python(self, value: Any) -> str:  # noqa: ANN401 - whatever was sent
        """With the ends of lines it had."""
        return str(super().to_python(value)).replace("\r\n", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ANN401 - Django's signature
        """Whether something else was typed."""
        return str(initial or "") != self.to_python(data)


class UiResourceForm(ReasonedForm):
    """A page and what it may reach."""

    # Where what people see may go
    access_fields = frozenset({"html", *DOMAINS})

    html = DocumentField(
        label=gettext_lazy("HTML"),
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 18, "spellcheck": "false", "class": "gh-document"}),
        help_text=gettext_lazy("A whole document, scripts and styles within it: at most 256 KiB."),
    )
    connect_domains = LinesField(
        label=gettext_lazy("May call"),
        required=False,
        help_text=gettext_lazy("Origins its scripts may fetch from, one per line. Empty: none."),
    )
    resource_domains = LinesField(
        label=gettext_lazy("May load from"),
        required=False,
        help_text=gettext_lazy(
            "Origins of its pictures, fonts, styles and scripts, one per line. Empty: none, all is in the document."
        ),
    )
    frame_domains = LinesField(
        label=gettext_lazy("May embed"),
        required=False,
        help_text=gettext_lazy("Origins of pages within it, one per line. Empty: none."),
    )

    class Meta:
        """What the form sets, and how it looks."""

        model = UiResource
        fields = ("uri", "title", "description", "html", *DOMAINS, "prefers_border", "domain")
        widgets = {
            "uri": UnfoldAdminTextInputWidget(attrs={"placeholder": "ui://careers/job-list.html"}),
            "description": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            "prefers_border": UnfoldBooleanSwitchWidget,
            "domain": UnfoldAdminTextInputWidget(attrs={"placeholder": "https://app.example.com"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "uri" in self.fields:
            self.fields["uri"].disabled = True
