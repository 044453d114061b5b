"""The form of a permission: its words in every language people read, and how much they risk by giving it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from oauth_provider.recorded_admin import ReasonedForm
from oauth_provider.scopes.models import SCOPE_NAME, Scope

PORTUGUESE = "pt-br"


class ScopeForm(ReasonedForm):
    """The name is fixed once made: tokens, clients and operations carry it."""

    access_fields = frozenset({"enabled", "self_registration"})

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        validators=[SCOPE_NAME],
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "jobs:read"}),
        help_text=_("What programs call it, such as jobs:read. It cannot be changed later."),
    )
    title_pt_br = forms.CharField(
        label=_("Title in Portuguese"), required=False, max_length=120, widget=UnfoldAdminTextInputWidget
    )
    description_pt_br = forms.CharField(
        label=_("Description in Portuguese"),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("Empty: people who read Portuguese see the English words."),
    )

    class Meta:
        """Which fields, and how they look."""

        model = Scope
        fields = ("name", "title", "description", "sensitivity", "self_registration", "enabled")
        labels = {"title": _("Title in English"), "description": _("Description in English")}
        widgets = {
            "description": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            "self_registration": UnfoldBooleanSwitchWidget,
            "enabled": UnfoldBooleanSwitchWidget,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = self.instance.translations.get(PORTUGUESE, {})
        self.initial.update(title_pt_br=words.get("title", ""), description_pt_br=words.get("description", ""))
        if self.instance.pk and "name" in self.fields:
            self.fields["name"].disabled = True

    def save(self, commit: bool = True) -> Scope:  # noqa: FBT002 - Django's signature
        """Keep the Portuguese words beside those of other languages."""
        words = {name: self.cleaned_data[f"{name}_pt_br"] for name in ("title", "description")}
        given = {name: text for name, text in words.items() if text}
        others = {code: kept for code, kept in self.instance.translations.items() if code != PORTUGUESE}
        self.instance.translations = others | ({PORTUGUESE: given} if given else {})
        saved: Scope = super().save(commit)
        return saved
