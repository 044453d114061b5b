"""The part of a backend's form that gives the gateway its credential there: a type, and fields for each type.

The page shows those of the type that is chosen, by its style sheet alone.
"""

from dataclasses import fields
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from proxy.catalogue.credentials import (
    CLIENT_SECRET_BASIC,
    CLIENT_SECRET_POST,
    KINDS,
    MAX_NAME,
    MAX_SECRET,
    MAX_TEXT,
    NO_CREDENTIAL,
    Credential,
    NoCredential,
    make,
)

REMOVE: Final = "none"
KIND_WORDS: Final[dict[str, Promise]] = {
    "header": gettext_lazy("A header"),
    "query": gettext_lazy("A parameter of the query"),
    "basic": gettext_lazy("User name and password (Basic)"),
    "bearer": gettext_lazy("A fixed token (Bearer)"),
    "client_credentials": gettext_lazy("Tokens fetched by the gateway (OAuth client credentials)"),
}
_SECRETS: Final = ("header_value", "query_value", "basic_password", "bearer_token", "client_credentials_client_secret")


def _text(label: Any, longest: int = MAX_TEXT, *, example: str = "", help_text: Any = "") -> Any:  # noqa: ANN401 - lazy words, and a field
    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": example, "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=longest, widget=widget, help_text=help_text)


def _secret(label: Any) -> Any:  # noqa: ANN401 - as above
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, required=False, max_length=MAX_SECRET, widget=widget)


class CredentialFields(forms.Form):
    """Typed in, checked, and never shown again; a field is named for its type and for its part of the credential."""

    credential = forms.ChoiceField(
        label=gettext_lazy("How the gateway is let in"), required=False, widget=UnfoldAdminRadioSelectWidget
    )
    header_name = _text(gettext_lazy("Name of the header"), MAX_NAME, example="X-Service-Key")
    header_value = _secret(gettext_lazy("Value of the header"))
    query_name = _text(gettext_lazy("Name of the parameter"), MAX_NAME, example="api_key")
    query_value = _secret(gettext_lazy("Value of the parameter"))
    basic_username = _text(gettext_lazy("User name"))
    basic_password = _secret(gettext_lazy("Password"))
    bearer_token = _secret(gettext_lazy("Token"))
    client_credentials_token_url = _text(
        gettext_lazy("Token URL"), example="https://login.example.com/oauth/token",
        help_text=gettext_lazy("Where the gateway asks for its tokens."),
    )  # fmt: skip
    client_credentials_client_id = _text(gettext_lazy("Client id"))
    client_credentials_client_secret = _secret(gettext_lazy("Client secret"))
    client_credentials_scope = _text(
        gettext_lazy("Scope"), help_text=gettext_lazy("Names separated by blanks; empty: what that server gives.")
    )
    client_credentials_audience = _text(
        gettext_lazy("Audience"), help_text=gettext_lazy("Only if that server wants it, as Auth0 does.")
    )
    client_credentials_resource = _text(
        gettext_lazy("Resource"), help_text=gettext_lazy("Only if that server wants it (RFC 8707).")
    )
    client_credentials_token_endpoint_auth_method = forms.ChoiceField(
        label=gettext_lazy("How the client shows its secret"),
        required=False,
        initial=CLIENT_SECRET_BASIC,
        choices=[
            (CLIENT_SECRET_BASIC, gettext_lazy("In the Authorization header")),
            (CLIENT_SECRET_POST, gettext_lazy("In the body")),
        ],
        widget=UnfoldAdminRadioSelectWidget,
    )
    client_credentials_allow_private = forms.BooleanField(
        label=gettext_lazy("Internal address"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("On: the token URL may be http, private or on this machine."),
    )

    def offer_credentials(self, *, present: bool) -> None:
        """Say what may be done, depending on whether there is one."""
        field = self.fields.get("credential")
        if isinstance(field, forms.ChoiceField):
            unchanged = _("As it is") if present else _("No credential")
            removal = [(REMOVE, _("Remove it"))] if present else []
            field.choices = [("", unchanged), *removal, *KIND_WORDS.items()]

    def clean_credential_fields(self) -> Credential | NoCredential | None:
        """What was typed; None to leave what there is. Faults are added to the fields they are about."""
        kind = self.cleaned_data.get("credential", "")
        if kind == REMOVE:
            return NO_CREDENTIAL
        if kind not in KINDS:
            if any(self.cleaned_data.get(name) for name in _SECRETS):
                self.add_error("credential", _("Choose the type of what you typed below."))
            return None
        typed = {each.name: self.cleaned_data.get(f"{kind}_{each.name}") for each in fields(KINDS[kind])}
        given = {name: value for name, value in typed.items() if value not in (None, "")}
        unread = {name for name in typed if f"{kind}_{name}" in self.errors}
        try:
            return make(kind, given)
        except ValidationError as fault:
            for name, words in fault.message_dict.items():
                if name not in unread:
                    self.add_error(f"{kind}_{name}", words)
        return None


def names_of_kind(kind: str) -> tuple[str, ...]:
    """The fields of the form that belong to one type."""
    return tuple(f"{kind}_{each.name}" for each in fields(KINDS[kind]))
