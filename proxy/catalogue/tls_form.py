"""The part of a backend's form about TLS: whom the gateway trusts there, and what it shows."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from proxy.catalogue.tls import MAX_PEM


def _pem(label: Any, help_text: Any, *, example: str = "-----BEGIN CERTIFICATE-----") -> Any:  # noqa: ANN401 - Django's fields are untyped here
    widget = UnfoldAdminTextareaWidget(
        attrs={"rows": 4, "placeholder": example, "spellcheck": "false", "autocomplete": "off", "class": "gh-pem"}
    )
    return forms.CharField(label=label, required=False, max_length=MAX_PEM, widget=widget, help_text=help_text)


class TlsFields(forms.Form):
    """Certificates are shown again, a key never."""

    tls_ca = _pem(
        gettext_lazy("Trusted authorities"),
        gettext_lazy("Certificates in PEM. The backend's must come from one of these; empty: from a public authority."),
    )
    tls_client_certificate = _pem(
        gettext_lazy("Client certificate"),
        gettext_lazy("In PEM, then what leads from it to its authority. Empty: the gateway shows none."),
    )
    tls_client_key = _pem(
        gettext_lazy("Key of the client certificate"),
        gettext_lazy("In PEM, without a passphrase. Stored encrypted and never shown. Empty: the present one stays."),
        example="",
    )
    remove_client_certificate = forms.BooleanField(
        label=gettext_lazy("Remove the client certificate and its key"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )

    def clean_tls_fields(self) -> str | None:
        """The key for `save_backend`: what was typed, "" to remove it, None to leave it."""
        typed = self.cleaned_data.get("tls_client_key") or None
        if not self.cleaned_data.get("remove_client_certificate"):
            return typed
        if typed:
            self.add_error("remove_client_certificate", _("Give a new key or remove the certificate, not both."))
        self.cleaned_data["tls_client_certificate"] = ""
        return ""
