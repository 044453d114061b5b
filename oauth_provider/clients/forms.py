"""The forms staff make and change clients with: they speak of programs and permissions, not of OAuth."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from oauth_provider.clients.models import CHATGPT_ACTION_CALLBACK, AuthMethod, Client, Preset
from oauth_provider.clients.presets import PRESETS, gpt_callbacks
from oauth_provider.clients.setup_sheet import awaits_callback
from oauth_provider.lines_field import LinesField
from oauth_provider.openid.resource import PATH as USERINFO
from oauth_provider.recorded_admin import ReasonedForm
from oauth_provider.resources.models import Resource
from oauth_provider.scopes.choices import ScopesField

# These never say which API their tokens are for, so we must
NEEDS_DEFAULT_RESOURCE = frozenset({Preset.GPT, Preset.SERVICE})
MAY_LACK_REDIRECTS = frozenset({Preset.GPT, Preset.SERVICE})


class ClientForm(ReasonedForm):
    """What a new and an existing client have in common."""

    access_fields = frozenset({"allowed_scopes", "redirect_uris"})

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=255,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("People read it when they are asked for permission: use the name they know it by."),
    )
    gpt = forms.CharField(
        label=gettext_lazy("Callback of the GPT"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "https://chatgpt.com/aip/g-…/oauth/callback"}),
        help_text=gettext_lazy(
            "Paste the Callback URL that the GPT's editor shows, the GPT's own address or its id (g-…). "
            "The addresses under both of ChatGPT's hosts are derived from it."
        ),
    )
    redirect_uris = LinesField(
        label=gettext_lazy("Redirect addresses"),
        required=False,
        help_text=gettext_lazy(
            "Where people are sent back to, one complete address per line. They are compared letter by letter; "
            "there are no wildcards."
        ),
    )
    allowed_scopes = ScopesField(
        label=gettext_lazy("Permissions it may ask for"),
        required=False,
        help_text=gettext_lazy("People still decide for themselves which of these they give. None ticked: none."),
    )
    default_scopes = ScopesField(
        label=gettext_lazy("Default permissions"),
        required=False,
        help_text=gettext_lazy("What it asks for when it names none. None ticked: those above that only read."),
    )
    default_resource = forms.ChoiceField(
        label=gettext_lazy("API it calls"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy(
            "Its tokens are good for this API when it names none itself. A GPT and a service never name one; "
            "MCP clients do."
        ),
    )

    class Meta:
        model = Client
        fields: tuple[str, ...] = ("name", "redirect_uris", "allowed_scopes", "default_scopes", "default_resource")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("allowed_scopes", "default_scopes"):
            if isinstance(field := self.fields.get(name), ScopesField):
                field.offer(getattr(self.instance, name).split())
        if isinstance(field := self.fields.get("default_resource"), forms.ChoiceField):
            field.choices = _resources(self.instance.default_resource)

    def changed_names(self) -> list[str]:
        """The callback is kept as the redirect addresses derived from it."""
        names = super().changed_names()
        return ["redirect_uris" if name == "gpt" else name for name in names]

    def touches_access(self) -> bool:
        """The callback a GPT was waiting for is no surprise to anybody."""
        expected = {"redirect_uris"} if awaits_callback(self.instance) else set()
        return bool(self.access_fields & (set(self.changed_names()) - expected))

    @property
    def kind(self) -> str:
        """The preset, chosen or fixed."""
        return str(self.instance.preset)

    def clean(self) -> dict[str, Any] | None:
        """What the preset asks of the other fields.

        Raises:
            ValidationError: by field.
        """
        cleaned = super().clean()
        self._clean_addresses()
        self._clean_scopes()
        if self.kind in NEEDS_DEFAULT_RESOURCE and not self.cleaned_data.get("default_resource"):
            self.add_error("default_resource", _("Choose one: this client never names the API itself."))
        return cleaned

    def _clean_addresses(self) -> None:
        uris = [*self._fixed_uris(), *self._callbacks(), *(self.cleaned_data.get("redirect_uris") or [])]
        if self.kind == Preset.SERVICE:
            uris = []
        elif self.kind == Preset.GPT and (strange := [u for u in uris if not CHATGPT_ACTION_CALLBACK.fullmatch(u)]):
            message = _("Not the callback of a GPT: %(uri)s. Make another client for another application.")
            self.add_error("redirect_uris", [message % {"uri": uri} for uri in strange])
        elif not uris and self.kind not in MAY_LACK_REDIRECTS and "redirect_uris" not in self.errors:
            self.add_error("redirect_uris", _("Give at least one address to return to."))
        self.cleaned_data["redirect_uris"] = " ".join(dict.fromkeys(uris))

    def _fixed_uris(self) -> tuple[str, ...]:
        return ()

    def _callbacks(self) -> tuple[str, ...]:
        if self.kind != Preset.GPT:
            return ()
        try:
            return gpt_callbacks(self.cleaned_data.get("gpt") or "")
        except ValueError:
            self.add_error("gpt", _("This is not a GPT's id, address or callback."))
            return ()

    def _clean_scopes(self) -> None:
        allowed = self.cleaned_data.get("allowed_scopes") or []
        default = self.cleaned_data.get("default_scopes") or []
        if strange := sorted(set(default) - set(allowed)):
            self.add_error("default_scopes", _("Tick these above first: %(names)s.") % {"names": ", ".join(strange)})
        self.cleaned_data["allowed_scopes"] = " ".join(allowed)
        self.cleaned_data["default_scopes"] = " ".join(default)


class ClientAddForm(ClientForm):
    """Begins with the question what kind of program it is; the preset answers the technical ones."""

    preset = forms.ChoiceField(
        label=gettext_lazy("What is it?"), initial=Preset.GPT, widget=UnfoldAdminRadioSelectWidget, choices=()
    )

    class Meta(ClientForm.Meta):
        fields = ("preset", *ClientForm.Meta.fields)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["preset"].choices = [  # type: ignore[attr-defined]  # a ChoiceField, declared above
            (preset.value, _preset_choice(preset.label, PRESETS[preset].words)) for preset in Preset
        ]
        self.fields["default_resource"].initial = _only_resource()

    @property
    def kind(self) -> str:
        """The preset chosen, "" while none is."""
        return str(self.cleaned_data.get("preset", ""))

    def clean(self) -> dict[str, Any] | None:
        """Take what the preset decides, so that the model's own rules see a whole client.

        Raises:
            ValidationError: by field.
        """
        if self.kind:
            self.instance.client_type = PRESETS[self.kind].client_type
            self.instance.authorization_grant_type = PRESETS[self.kind].grant_type
        return super().clean()

    def _fixed_uris(self) -> tuple[str, ...]:
        return PRESETS[self.kind].redirect_uris if self.kind else ()


class ClientsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic for the type checker only
    """Other clients, to be ticked by name and client id: two may have one name."""

    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def label_from_instance(self, client: Client) -> str:
        """How a client is called here."""
        return f"{client.name} ({client.client_id})"


class ClientChangeForm(ClientForm):
    """An existing client; what kind it is stays as it was made."""

    access_token_lifetime_s = forms.IntegerField(
        label=gettext_lazy("Access token lifetime, seconds"),
        widget=UnfoldAdminIntegerFieldWidget,
        validators=[MinValueValidator(60), MaxValueValidator(86_400)],
        help_text=gettext_lazy("Between 60 and 86,400. It is renewed without the person noticing."),
    )
    refresh_token_lifetime_s = forms.IntegerField(
        label=gettext_lazy("Refresh token lifetime, seconds"),
        widget=UnfoldAdminIntegerFieldWidget,
        validators=[MinValueValidator(3600), MaxValueValidator(365 * 86_400)],
        help_text=gettext_lazy("How long it may stay unused before the person has to sign in again."),
    )

    refresh_token_absolute_lifetime_s = forms.IntegerField(
        label=gettext_lazy("Longest time without a new sign-in, seconds"),
        widget=UnfoldAdminIntegerFieldWidget,
        validators=[MinValueValidator(3600), MaxValueValidator(10 * 365 * 86_400)],
        help_text=gettext_lazy("However often it is used, the person has to sign in again after that."),
    )
    exchanges_for = ClientsField(
        label=gettext_lazy("Exchanges tokens of"),
        queryset=Client.objects.none(),
        required=False,
        help_text=gettext_lazy("Other clients whose access tokens it may exchange for tokens of its own."),
    )
    introspects = forms.ModelMultipleChoiceField(
        label=gettext_lazy("API it serves"),
        queryset=Resource.objects.all(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("It may ask about every access token that is good for this API."),
    )

    token_endpoint_auth_method = forms.ChoiceField(
        label=gettext_lazy("How it proves itself"),
        choices=AuthMethod.choices,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("With a key of its own it has no other proof: its secrets are refused from then on."),
    )
    jwks = forms.CharField(
        label=gettext_lazy("Public keys"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=gettext_lazy('A JWK Set, {"keys": […]}, with the public half of an RSA or P-256 key.'),
    )
    jwks_uri = forms.CharField(
        label=gettext_lazy("Address of its public keys"),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "https://app.example/jwks.json"}),
        help_text=gettext_lazy(
            "Instead of the keys themselves: where it publishes them, so that it can replace them without you."
        ),
    )

    access_fields = ClientForm.access_fields | {
        "token_endpoint_auth_method",
        "jwks",
        "jwks_uri",
        "device_grant_allowed",
        "may_exchange_tokens",
        "exchanges_for",
        "introspects",
    }

    class Meta(ClientForm.Meta):
        fields = (
            *ClientForm.Meta.fields,
            "access_token_lifetime_s",
            "refresh_token_lifetime_s",
            "refresh_token_absolute_lifetime_s",
            "allow_json_token_requests",
            "token_endpoint_auth_method",
            "jwks",
            "jwks_uri",
            "device_grant_allowed",
            "may_exchange_tokens",
            "exchanges_for",
            "introspects",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(field := self.fields.get("exchanges_for"), ClientsField):
            field.queryset = Client.objects.exclude(pk=self.instance.pk).order_by("name")


def _resources(stored: str) -> list[tuple[str, str | Promise]]:
    rows = list(Resource.objects.exclude(path=USERINFO))
    choices: list[tuple[str, str | Promise]] = [("", gettext_lazy("None"))]
    choices += [(row.path, f"{row.title} ({row.path})" if row.title else row.path) for row in rows]
    if stored and stored not in {row.path for row in rows}:
        choices.append((stored, _("%(path)s (no longer registered)") % {"path": stored}))
    return choices


def _only_resource() -> str:
    paths = list(Resource.objects.exclude(path=USERINFO).values_list("path", flat=True)[:2])
    return paths[0] if len(paths) == 1 else ""


def _preset_choice(label: Promise | str, words: Promise | str) -> SafeString:
    return format_html('<span class="gh-choice"><strong>{}</strong><small>{}</small></span>', label, words)
