"""The forms of a backend and of an operation; what they accept is what the data plane can run."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from oauth_provider.lines_field import LinesField
from oauth_provider.recorded_admin import ReasonedForm
from oauth_provider.scopes.choices import ScopesField
from proxy.catalogue.credential_form import CredentialFields
from proxy.catalogue.credentials import Credential, NoCredential, check_destination
from proxy.catalogue.hidden import check_not_hidden
from proxy.catalogue.mcp_backends.features import PREFIX
from proxy.catalogue.media_types import JSON
from proxy.catalogue.models import METHODS, AuthMode, Backend, BackendKind, Operation
from proxy.catalogue.rpc_methods import HTTP_METHODS
from proxy.catalogue.tls_form import TlsFields

JSON_FIELDS = ("parameters", "request_schema", "response_schema", "annotations")


class BackendForm(ReasonedForm, CredentialFields, TlsFields):
    """A service behind the gateway."""

    access_fields = frozenset(
        {"upstream_url", "auth_mode", "allow_private", "enabled", "identity_headers", "identity_query"}
    )

    identity_headers = LinesField(
        label=gettext_lazy("Further identity headers"),
        required=False,
        help_text=gettext_lazy(
            "Headers that repeat the user id beside X-User-Id, one per line, such as X-Clerk-User-Id."
        ),
    )

    class Meta:
        """What the form sets, and how it looks."""

        model = Backend
        fields = (
            "name",
            "kind",
            "prefix",
            "upstream_url",
            "allow_private",
            "auth_mode",
            "identity_headers",
            "identity_query",
            "tls_ca",
            "tls_client_certificate",
            "timeout_ms",
            "connect_timeout_ms",
            "max_request_bytes",
            "max_response_bytes",
            "max_concurrency",
            "enabled",
        )
        widgets = {
            "name": UnfoldAdminTextInputWidget(attrs={"placeholder": "careers"}),
            "prefix": UnfoldAdminTextInputWidget(attrs={"placeholder": "/api/v1/careers"}),
            "upstream_url": UnfoldAdminTextInputWidget(attrs={"placeholder": "https://jobs.internal/api/v2"}),
            "auth_mode": UnfoldAdminRadioSelectWidget,
            "kind": UnfoldAdminRadioSelectWidget,
            "identity_query": UnfoldAdminTextInputWidget(attrs={"placeholder": "user_id"}),
            "allow_private": UnfoldBooleanSwitchWidget,
            "enabled": UnfoldBooleanSwitchWidget,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.new_credential: Credential | NoCredential | None = None
        self.new_client_key: str | None = None
        self._stored_url = self.instance.upstream_url
        self.offer_credentials(present=bool(self.instance.credential_sealed))
        if "kind" in self.fields:
            # Left out, it is as the model has it
            self.fields["kind"].required = False
        if "prefix" in self.fields:
            # An MCP server's is known
            self.fields["prefix"].required = False
        for name in ("name", "kind", "prefix"):
            if self.instance.pk and name in self.fields:
                self.fields[name].disabled = True

    def clean(self) -> dict[str, Any] | None:
        """Never show one backend's credential to another.

        Raises:
            ValidationError: the credential was typed for another host.
        """
        cleaned = super().clean()
        self._complete_prefix()
        self.new_credential = self.clean_credential_fields()
        self.new_client_key = self.clean_tls_fields()
        if self.new_credential is None and not self.cleaned_data.get("credential"):
            sealed, now = self.instance.credential_sealed, self.cleaned_data.get("upstream_url", "")
            check_destination(sealed=sealed, before=self._stored_url, now=now)
        # The model checks next what will be stored
        self.instance.give(credential=self.new_credential, client_key=self.new_client_key)
        return cleaned

    def _complete_prefix(self) -> None:
        if "prefix" not in self.fields or self.cleaned_data.get("prefix") or self.errors.get("prefix"):
            return
        if self.cleaned_data.get("kind") == BackendKind.MCP:
            self.cleaned_data["prefix"] = PREFIX + self.cleaned_data.get("name", "")
        else:
            self.add_error("prefix", _("This field is required."))

    def changed_names(self) -> list[str]:
        """A credential by one name, whatever its parts."""
        names = super().changed_names()
        stored = {field.name for field in Backend._meta.fields}
        kept = [name for name in names if name in stored]
        given = {"credential": self.new_credential, "tls_client_key": self.new_client_key}
        return kept + [name for name, value in given.items() if value is not None]


class OperationForm(ReasonedForm):
    """One thing clients may do at a backend."""

    access_fields = frozenset({"backend", "methods", "path", "rpc_method", "feature", "feature_name", "scopes",
                               "any_scopes", "auth_mode", "enabled"})  # fmt: skip

    methods = forms.MultipleChoiceField(
        label=gettext_lazy("Methods"),
        choices=[(method, method) for method in METHODS],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("GET reads and also answers HEAD; the others change something."),
    )
    scopes = ScopesField(
        label=gettext_lazy("Permissions it needs"),
        required=False,
        help_text=gettext_lazy("All of the ticked ones are needed. None ticked: any signed-in user may call it."),
    )

    any_scopes = ScopesField(
        label=gettext_lazy("Or one of these"),
        required=False,
        help_text=gettext_lazy("One of the ticked ones is needed as well. Clients are told to ask for the first."),
    )

    class Meta:
        """What the form sets, and how it looks."""

        model = Operation
        fields = (
            "backend",
            "operation_id",
            "title",
            "description",
            "methods",
            "path",
            "rpc_method",
            "feature",
            "feature_name",
            "scopes",
            "any_scopes",
            "auth_mode",
            "max_request_bytes",
            "cost",
            "consequential",
            "idempotent",
            "enabled",
            "tool_name",
            "ui_resource",
            "parameters",
            "request_schema",
            "request_type",
            "response_schema",
            "annotations",
        )
        widgets = {
            **{name: UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}) for name in JSON_FIELDS},
            "tool_name": UnfoldAdminTextInputWidget(attrs={"placeholder": "searchJobs"}),
            "operation_id": UnfoldAdminTextInputWidget(attrs={"placeholder": "searchJobs"}),
            "path": UnfoldAdminTextInputWidget(attrs={"placeholder": "/jobs/{id}"}),
            "rpc_method": UnfoldAdminTextInputWidget(attrs={"placeholder": "thread/start"}),
            "feature_name": UnfoldAdminTextInputWidget(attrs={"placeholder": "*"}),
            "request_type": UnfoldAdminTextInputWidget(attrs={"placeholder": JSON}),
            "description": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            "consequential": UnfoldBooleanSwitchWidget,
            "idempotent": UnfoldBooleanSwitchWidget,
            "enabled": UnfoldBooleanSwitchWidget,
        }
        help_texts = {
            "auth_mode": gettext_lazy("For this operation alone, if its backend's answer does not fit."),
            "enabled": gettext_lazy(
                "Off: calls of it are answered as if it had never been there, and no wider operation, such as /**, "
                "takes them."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("scopes", "any_scopes"):
            if isinstance(field := self.fields.get(name), ScopesField):
                field.offer(getattr(self.instance, name))
        if isinstance(field := self.fields.get("auth_mode"), forms.ChoiceField):
            field.choices = [("", _("As the backend")), *AuthMode.choices]
        for name in ("feature", "feature_name"):
            if self.instance.pk and name in self.fields:
                # What it opened was approved with it
                self.fields[name].disabled = True
        if "path" in self.fields:
            self.fields["path"].required = False
            self.initial["path"] = self.instance.path if self.instance.pk else ""

    def clean(self) -> dict[str, Any] | None:
        """Refuse an operation that another one hides.

        Raises:
            ValidationError: the same method and path are there already.
        """
        cleaned = super().clean()
        if "tool_name" in self.cleaned_data:
            # Empty is no name, of which there may be many
            self.cleaned_data["tool_name"] = self.cleaned_data["tool_name"] or None
        backend, path = self.cleaned_data.get("backend"), self.cleaned_data.get("path")
        named = {name: self.cleaned_data.get(name, "") for name in ("rpc_method", "feature", "feature_name")}
        if named["rpc_method"] or named["feature"]:
            self.cleaned_data["methods"] = self.cleaned_data.get("methods") or list(HTTP_METHODS)
            path = self.cleaned_data["path"] = path or "/"
        else:
            for name, words in (("methods", _("Tick at least one.")), ("path", _("This field is required."))):
                if name not in self.errors and not self.cleaned_data.get(name):
                    self.add_error(name, words)
        if backend is not None and path:
            methods = self.cleaned_data.get("methods", [])
            there = Operation(pk=self.instance.pk, backend=backend, path=path, methods=methods, **named)
            check_not_hidden(there)
        return cleaned
