"""The forms of the registration policy, the list and invitations."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from oauth_provider.clients.models import Trust
from oauth_provider.reason_page import ReasonForm
from oauth_provider.recorded_admin import ReasonedForm
from oauth_provider.registration.invitations import MAX_INVITATION_DAYS
from oauth_provider.registration.models import InitialAccessToken, ListedClient, Mode, RegistrationPolicy
from oauth_provider.resources.models import Resource


class PolicyForm(ReasonedForm):
    """Who may come in decides who gains access: it needs a reason."""

    access_fields = frozenset({"mode", "document_mode"})

    mode = forms.ChoiceField(
        label=gettext_lazy("Who may register itself"),
        choices=Mode.choices,
        widget=UnfoldAdminRadioSelectWidget,
        help_text=gettext_lazy(
            "Programs on the list come in at once, unless nobody may; blocked ones never do. An invitation opens the "
            "door for whoever has it."
        ),
    )
    document_mode = forms.ChoiceField(
        label=gettext_lazy("Who may come with a metadata document"),
        choices=Mode.choices,
        widget=UnfoldAdminRadioSelectWidget,
        help_text=gettext_lazy("Clients whose client id is the address of a document that describes them."),
    )
    default_resource = forms.ChoiceField(
        label=gettext_lazy("API they call"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Their tokens are good for this API when they name none. MCP clients name one."),
    )

    class Meta:
        """Which fields."""

        model = RegistrationPolicy
        fields = ("mode", "document_mode", "default_resource", "unused_hours", "idle_days", "max_unused")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(field := self.fields.get("default_resource"), forms.ChoiceField):
            stored = self.instance.default_resource
            paths = sorted({*Resource.objects.values_list("path", flat=True), stored} - {""})
            field.choices = [("", _("They must name one")), *((path, path) for path in paths)]


class ListedForm(ReasonedForm):
    """One program, by the letter."""

    class Meta:
        """Which fields."""

        model = ListedClient
        fields = ("verdict", "named_by", "value", "note")
        help_texts = {
            "verdict": gettext_lazy("A refused one is refused always; one that comes in, unless nobody may register."),
            "named_by": gettext_lazy(
                "A fingerprint stands for every registration of one program: see a client's page."
            ),
            "value": gettext_lazy("Compared letter by letter."),
            "note": gettext_lazy("For your colleagues."),
        }

    def clean_value(self) -> str:
        """Without the blanks that come along when something is pasted."""
        return str(self.cleaned_data["value"]).strip()

    def touches_access(self) -> bool:
        """Whatever is changed about an entry lets somebody in or shuts them out, but for the note."""
        return bool(set(self.changed_names()) - {"note"})


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the type checker only
    """A name, how often, how long."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Who is invited; it appears in the audit log."),
    )
    max_uses = forms.IntegerField(
        label=gettext_lazy("Registrations it is good for"),
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text=gettext_lazy("Programs that register anew at every connection need more than one."),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Valid for, days"),
        initial=7,
        widget=UnfoldAdminIntegerFieldWidget,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_INVITATION_DAYS)],
    )

    class Meta:
        """What the form sets."""

        model = InitialAccessToken
        fields = ("name", "max_uses")


class TrustForm(ReasonForm):
    """The level people will read, and why."""

    field_order = ("trust", "reason")
    trust = forms.ChoiceField(
        label=gettext_lazy("Trust"),
        choices=Trust.choices,
        widget=UnfoldAdminRadioSelectWidget,
        help_text=gettext_lazy("People read it on the page that asks them for permission."),
    )
