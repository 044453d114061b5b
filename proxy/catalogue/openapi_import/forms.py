"""What staff give: a document, in one of three ways, and why it is imported."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from oauth_provider.recorded_admin import REASON_MAX
from oauth_provider.scopes.choices import ScopesField

# A page's body ends at a mebibyte; larger documents are for the command
PAGE_MAX_BYTES: Final = 900_000
_WAYS: Final = ("url", "file", "text")


class DocumentForm(forms.Form):
    """The document, and what holds where it says nothing."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "https://jobs.example/openapi.json"}),
        help_text=gettext_lazy("Where the service publishes it. It is fetched once, now."),
    )
    file = forms.FileField(
        label=gettext_lazy("or a file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"class": "gh-input"}),
        help_text=gettext_lazy("JSON or YAML, 900 kB at most; larger ones by manage.py import_openapi."),
    )
    text = forms.CharField(
        label=gettext_lazy("or its text"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "spellcheck": "false", "autocapitalize": "off"}),
    )
    scopes = ScopesField(
        label=gettext_lazy("Permissions for the rest"),
        required=False,
        help_text=gettext_lazy(
            "What operations need that name no permission known here. None ticked: those are imported disabled."
        ),
    )
    disable_missing = forms.BooleanField(
        label=gettext_lazy("Disable what is gone"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Operations that were imported once and are not in the document any more."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(field := self.fields["scopes"], ScopesField):
            field.offer(())

    def clean(self) -> dict[str, Any] | None:
        """One way, and only one.

        Raises:
            ValidationError: none or several, or too large.
        """
        cleaned = super().clean()
        given = [name for name in _WAYS if self.cleaned_data.get(name)]
        if len(given) != 1 and not self.errors:
            raise forms.ValidationError(_("Give the document in one way: its address, a file, or its text."))
        return cleaned

    def content(self) -> bytes | None:
        """What was typed or uploaded; None when an address was given."""
        if file := self.cleaned_data.get("file"):
            read: bytes = file.read(PAGE_MAX_BYTES + 1)
            return read
        text = str(self.cleaned_data.get("text") or "")
        return text.encode() if text else None


class AgreementForm(forms.Form):
    """That the differences are wanted, and why. `draft` names the document, `seen` what was shown of it."""

    draft = forms.CharField(widget=forms.HiddenInput, max_length=64)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=REASON_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Kept in the audit log with every operation."),
    )
