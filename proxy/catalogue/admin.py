"""Backends and operations in the admin: what may be called, where it leads, and who may call it."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oauth_provider.admin_skin import Tone, chip, code, column, page_button
from oauth_provider.identities.external_id import user_ref
from oauth_provider.recorded_admin import About, RecordedAdmin
from proxy.catalogue.actions.state import document_state
from proxy.catalogue.credential_form import KIND_WORDS, names_of_kind
from proxy.catalogue.forms import BackendForm, OperationForm
from proxy.catalogue.mcp_backends.admin import McpDefinitions, summary
from proxy.catalogue.models import AuthMode, Backend, BackendKind, Operation
from proxy.catalogue.openapi_import.admin import OpenApiImport
from proxy.catalogue.remove import remove_backend, remove_operation
from proxy.catalogue.save import save_backend, save_operation
from proxy.catalogue.tls import facts
from proxy.catalogue.tool_words import warnings_of

MODE_TONES: dict[str, Tone] = {
    AuthMode.OAUTH: "plain",
    AuthMode.ISSUER: "plain",
    AuthMode.API_KEY: "plain",
    AuthMode.PASSTHROUGH: "warn",
    AuthMode.PUBLIC: "danger",
}
MODE_WORDS = {
    AuthMode.OAUTH.value: gettext_lazy("Sign-in"),
    AuthMode.ISSUER.value: gettext_lazy("Outside sign-in"),
    AuthMode.API_KEY.value: gettext_lazy("API key"),
    AuthMode.PASSTHROUGH.value: gettext_lazy("Pass through"),
    AuthMode.PUBLIC.value: gettext_lazy("Public"),
}


class CatalogueAdmin(RecordedAdmin):
    """Both are kept and removed by the verbs of the catalogue, which also record and announce."""

    granted = ("view", "add", "change", "delete")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The verb has recorded it."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Unlike permissions and clients, nothing that people gave hangs on it."""
        return request.user.has_perm(f"{self.opts.app_label}.delete_{self.opts.model_name}")

    @column(description=gettext_lazy("state"), ordering="enabled")
    def state(self, row: Backend | Operation) -> SafeString:
        """Whether it answers."""
        return chip("good", _("Enabled")) if row.enabled else chip("danger", _("Disabled"))


@admin.register(Backend)
class BackendAdmin(McpDefinitions, OpenApiImport, CatalogueAdmin):
    """Name and prefix are fixed once made: the audit log and every GPT carry them."""

    form = BackendForm
    list_display = ("name", "state", "place", "leads_to", "mode", "operation_count", "has_credential")
    list_filter = ("auth_mode", "enabled")
    search_fields = ("name", "prefix", "upstream_url")
    search_help_text = gettext_lazy("Name, prefix or upstream URL.")
    nothing_yet = gettext_lazy("A backend is one of your services. Say where it runs, then what may be called there.")
    readonly_fields = ("has_credential", "trusted", "shown_certificate")
    fieldsets: Any = (
        (None, {"fields": ("name", "kind", "prefix", "upstream_url", "allow_private", "auth_mode", "enabled",
                           "reason")}),
        (gettext_lazy("How the backend learns who calls"), {"fields": ("identity_headers", "identity_query")}),
        (gettext_lazy("The gateway's own credential"), {"fields": ("has_credential", "credential")}),
        *((words, {"fields": names_of_kind(kind), "classes": (f"gh-kind-{kind}",)})
          for kind, words in KIND_WORDS.items()),
        (gettext_lazy("TLS"), {
            "fields": ("trusted", "tls_ca", "shown_certificate", "tls_client_certificate", "tls_client_key",
                       "remove_client_certificate"),
            "classes": ("collapse",),
        }),
        (gettext_lazy("Limits"), {
            "fields": ("timeout_ms", "connect_timeout_ms", "max_request_bytes", "max_response_bytes",
                       "max_concurrency"),
            "classes": ("collapse",),
        }),
    )  # fmt: skip
    change_form_outer_after_template = "admin/backends/operations.html"
    actions_detail = ("health", *OpenApiImport.actions_detail)

    @page_button(description=gettext_lazy("Health"), path="health", icon="monitor_heart")
    def health(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the page that says how it is.

        Raises:
            Http404: it does not exist.
        """
        backend = self.look_up(request, object_id)
        if backend is None:
            raise Http404
        page = reverse("admin:proxy_backendcheck_changelist")
        return HttpResponseRedirect(f"{page}?{urlencode({'backend': backend.name})}")

    def about(self, obj: Backend) -> About:
        """By its name."""
        return {"target": f"backend:{obj.name}", "backend": obj.name}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Backend]:
        """Backends with the number of their operations."""
        backends: QuerySet[Backend] = super().get_queryset(request).annotate(count=Count("operations"))
        return backends

    def get_fieldsets(self, request: HttpRequest, obj: Backend | None = None) -> Any:
        """A new one has nothing to remove and needs no reason."""
        if obj is not None:
            return self.fieldsets
        left_out = {"reason", "has_credential", "trusted", "shown_certificate", "remove_client_certificate"}
        return [
            (title, {**options, "fields": tuple(name for name in options["fields"] if name not in left_out)})
            for title, options in self.fieldsets
        ]

    def save_model(self, request: HttpRequest, obj: Backend, form: Any, change: bool) -> None:
        """Kept by the verb, in the transaction of the page."""
        save_backend(
            backend=obj,
            actor=user_ref(request.user),
            credential=form.new_credential,
            client_key=form.new_client_key,
            fields=form.changed_names(),
            note=form.cleaned_data.get("reason", ""),
        )
        for each in facts(obj.tls_client_certificate)[:1] + facts(obj.tls_ca):
            if each.expires_at <= timezone.now():
                until = {"subject": each.subject, "date": date_format(each.expires_at, "DATE_FORMAT")}
                self.message_user(request, _("%(subject)s has expired on %(date)s.") % until, messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: Backend) -> None:
        """Removed by the verb."""
        remove_backend(backend=obj, actor=user_ref(request.user), note=self.reason_of(request))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add the list of operations below an existing one."""
        backend = kwargs.get("obj")
        if backend is not None:
            add = reverse("admin:proxy_operation_add")
            context |= {
                "operations": backend.operations.all(),
                "document": None if backend.kind == BackendKind.MCP else document_state(backend),
                "definitions": summary(backend),
                "may_add": request.user.has_perm("proxy.add_operation"),
                "add_operation": f"{add}?{urlencode({'backend': backend.pk})}",
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @column(description=gettext_lazy("who may call"), ordering="auth_mode")
    def mode(self, backend: Backend) -> SafeString:
        """In a word or two."""
        return _mode(backend.auth_mode)

    @column(description=gettext_lazy("from"), ordering="prefix")
    def place(self, backend: Backend) -> SafeString:
        """Where clients call it."""
        return code(backend.prefix)

    @column(description=gettext_lazy("to"), ordering="upstream_url")
    def leads_to(self, backend: Backend) -> SafeString:
        """Where the gateway calls it."""
        return code(backend.upstream_url)

    @column(description=gettext_lazy("operations"), ordering="count")
    def operation_count(self, backend: Backend) -> int:
        """How many it has."""
        return int(getattr(backend, "count", 0))

    @column(description=gettext_lazy("credential"))
    def has_credential(self, backend: Backend) -> str:
        """Its type; never what it is."""
        if not backend.credential_sealed:
            return _("Not set")
        credential = backend.credential
        return str(KIND_WORDS[credential.type]) if credential else _("Set, but cannot be opened any more")

    @column(description=gettext_lazy("trusted now"))
    def trusted(self, backend: Backend) -> SafeString | str:
        """Whose certificates are accepted."""
        return _certificates(backend.tls_ca) or _("The public authorities")

    @column(description=gettext_lazy("shown now"))
    def shown_certificate(self, backend: Backend) -> SafeString | str:
        """Subject and end of the client certificate."""
        return _certificates(backend.tls_client_certificate) or _("Not set")


def _certificates(pem: str) -> SafeString | str:
    rows = [(each.subject, _until(each.expires_at)) for each in facts(pem)]
    return format_html_join(mark_safe("<br>"), "{} {}", rows) if rows else ""


def _until(moment: datetime) -> SafeString:
    names = {"date": date_format(timezone.localtime(moment), "DATE_FORMAT")}
    if moment <= timezone.now():
        return chip("danger", _("Expired on %(date)s") % names)
    return chip("plain", _("Until %(date)s") % names)


@admin.register(Operation)
class OperationAdmin(CatalogueAdmin):
    """What is not listed here cannot be called."""

    form = OperationForm
    list_display = ("operation_id", "state", "call", "needs", "mode", "backend")
    list_filter = (("backend", admin.RelatedOnlyFieldListFilter), "enabled", "auth_mode")
    search_fields = ("operation_id", "title", "path")
    search_help_text = gettext_lazy("Operation id, title or path.")
    nothing_yet = gettext_lazy("An operation is one call of a backend. What is not listed cannot be called.")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "backend",
                    "operation_id",
                    "methods",
                    "path",
                    "rpc_method",
                    "feature",
                    "feature_name",
                    "scopes",
                    "any_scopes",
                    "auth_mode",
                    "enabled",
                    "reason",
                )
            },
        ),
        (
            gettext_lazy("What people and AI clients read"),
            {"fields": ("title", "description", "consequential")},
        ),
        (
            gettext_lazy("As a tool for AI clients"),
            {
                "fields": (
                    "tool_name",
                    "ui_resource",
                    "parameters",
                    "request_schema",
                    "request_type",
                    "response_schema",
                    "annotations",
                ),
                "classes": ("collapse",),
                "description": gettext_lazy(
                    "What a call takes and gives, so that a model knows without trying. A new operation gets a tool "
                    "name by itself; take it away and the operation is no tool any more."
                ),
            },
        ),
        (
            gettext_lazy("Limits and repetition"),
            {"fields": ("max_request_bytes", "cost", "idempotent"), "classes": ("collapse",)},
        ),
    )

    change_form_outer_before_template = "admin/operations/words.html"

    def about(self, obj: Operation) -> About:
        """By its backend and id."""
        return {"target": f"operation:{obj.backend.name}/{obj.operation_id}", "backend": obj.backend.name}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Operation]:
        """Operations with their backends, whose names are part of theirs."""
        operations: QuerySet[Operation] = super().get_queryset(request).select_related("backend")
        return operations

    def history_term(self, obj: Operation) -> str:
        """Every call of it too."""
        return obj.operation_id

    def get_fieldsets(self, request: HttpRequest, obj: Operation | None = None) -> Any:
        """A new one needs no reason."""
        if obj is not None:
            return self.fieldsets
        first, *others = self.fieldsets
        return ((None, {"fields": tuple(name for name in first[1]["fields"] if name != "reason")}), *others)

    def save_model(self, request: HttpRequest, obj: Operation, form: Any, change: bool) -> None:
        """Kept by the verb, in the transaction of the page."""
        save_operation(
            operation=obj,
            actor=user_ref(request.user),
            fields=form.changed_names(),
            note=form.cleaned_data.get("reason", ""),
        )
        for words in warnings_of(obj):
            self.message_user(request, f"{obj.operation_id}: {words}", messages.WARNING)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add what of its words would not help a model."""
        operation = kwargs.get("obj")
        context |= {"warnings": warnings_of(operation) if operation is not None else []}
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_model(self, request: HttpRequest, obj: Operation) -> None:
        """Removed by the verb."""
        remove_operation(operation=obj, actor=user_ref(request.user), note=self.reason_of(request))

    @column(description=gettext_lazy("call"), ordering="path")
    def call(self, operation: Operation) -> SafeString:
        """Methods and the whole public path, or what it opens."""
        if operation.feature:
            return code(f"{operation.feature} {operation.feature_name}")
        path = operation.backend.prefix + ("" if operation.path == "/" else operation.path)
        return code(f"{' '.join(operation.methods)} {path} {operation.rpc_method}".rstrip())

    @column(description=gettext_lazy("permissions"))
    def needs(self, operation: Operation) -> str:
        """Names of the scopes it needs."""
        return operation.needs_shown

    @column(description=gettext_lazy("who may call"))
    def mode(self, operation: Operation) -> SafeString:
        """Its own mode, else its backend's."""
        return _mode(operation.auth_mode or operation.backend.auth_mode)


def _mode(mode: str) -> SafeString:
    return chip(MODE_TONES.get(mode, "plain"), MODE_WORDS.get(mode, mode))
