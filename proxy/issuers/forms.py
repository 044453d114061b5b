"""The forms of an issuer: who it is, and what of a token says what."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from oauth_provider.lines_field import LinesField
from oauth_provider.recorded_admin import ReasonedForm
from proxy.issuers.jwks import ALGORITHMS
from proxy.issuers.models import Issuer, claims_fault
from proxy.issuers.subject import MAPPED, MAX_TEXT

CLAIM_FIELDS = {f"claim_{name}": name for name in MAPPED}


def _claim(label: Any, usual: str, help_text: Any) -> forms.CharField:  # noqa: ANN401 - words, lazy or not
    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": usual})
    return forms.CharField(label=label, required=False, max_length=MAX_TEXT, widget=widget, help_text=help_text)


class IssuerForm(ReasonedForm):
    """Its name is fixed once made: the audit log carries it."""

    access_fields = frozenset(
        {"issuer", "audience", "jwks_url", "algorithms", "allow_private", "enabled", *CLAIM_FIELDS}
    )  # fmt: skip

    audience = LinesField(
        label=gettext_lazy("Audience"),
        help_text=gettext_lazy(
            "The aud of tokens meant for this gateway, one per line. The address of one of our backends opens that "
            "backend only."
        ),
    )
    algorithms = forms.MultipleChoiceField(
        label=gettext_lazy("Algorithms"),
        choices=[(name, name) for name in ALGORITHMS],
        initial=["RS256"],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("What its tokens may be signed with, and nothing else."),
    )
    claim_user = _claim(
        gettext_lazy("User"), "sub", gettext_lazy("Empty: sub. What backends get as the user's external id.")
    )
    claim_scopes = _claim(
        gettext_lazy("Permissions"), "scope", gettext_lazy("Empty: scope. Auth0: permissions. Entra: scp.")
    )
    claim_client = _claim(
        gettext_lazy("Application"), "azp", gettext_lazy("Empty: client_id, else azp. For the audit log.")
    )
    claim_tenant = _claim(
        gettext_lazy("Tenant"), "org_id", gettext_lazy("Empty: none. A dot leads inside: Clerk has o.id.")
    )
    claim_roles = _claim(gettext_lazy("Roles"), "roles", gettext_lazy("Empty: none. Keycloak has realm_access.roles."))

    class Meta:
        """What the form sets, and how it looks."""

        model = Issuer
        fields = ("name", "issuer", "audience", "jwks_url", "allow_private", "algorithms", "enabled")
        widgets = {
            "name": UnfoldAdminTextInputWidget(attrs={"placeholder": "clerk"}),
            "issuer": UnfoldAdminTextInputWidget(attrs={"placeholder": "https://clerk.example.com"}),
            "jwks_url": UnfoldAdminTextInputWidget(
                attrs={"placeholder": "https://clerk.example.com/.well-known/jwks.json"}
            ),
            "allow_private": UnfoldBooleanSwitchWidget,
            "enabled": UnfoldBooleanSwitchWidget,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        claims = self.instance.claims if isinstance(self.instance.claims, dict) else {}
        self.initial.update({field: claims.get(name, "") for field, name in CLAIM_FIELDS.items()})
        if self.instance.pk and "name" in self.fields:
            self.fields["name"].disabled = True

    def clean_audience(self) -> str | list[str]:
        """One as a text."""
        texts: list[str] = self.cleaned_data["audience"]
        return texts[0] if len(texts) == 1 else texts

    def clean(self) -> dict[str, Any] | None:
        """Gather the mapping of claims.

        Raises:
            ValidationError: of the field of each that cannot be.
        """
        cleaned = super().clean()
        claims = {}
        for field, name in CLAIM_FIELDS.items():
            typed = self.cleaned_data.get(field, "")
            if fault := claims_fault({name: typed}) if typed else "":
                self.add_error(field, fault)
            elif typed:
                claims[name] = typed
        if CLAIM_FIELDS.keys() <= self.fields.keys():
            self.instance.claims = claims
        return cleaned


class TokenForm(forms.Form):
    """A token to try, if there is one at hand; nothing of it is kept."""

    token = forms.CharField(
        label=gettext_lazy("Access token"),
        required=False,
        strip=True,
        max_length=16_000,
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
        ),
        help_text=gettext_lazy(
            "One that the issuer gave for this gateway, without the word Bearer. It is checked and forgotten. "
            "Empty: only the keys are looked at."
        ),
    )
