"""Permissions in the admin: their words, and a switch."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oauth_provider.admin_skin import Tone, chip, code, column
from oauth_provider.recorded_admin import About, RecordedAdmin
from oauth_provider.scopes.forms import ScopeForm
from oauth_provider.scopes.models import Scope, Sensitivity
from oauth_provider.scopes.openid import OPENID_SCOPES
from oauth_provider.scopes.usage import scope_usage

TONES: dict[str, Tone] = {Sensitivity.NORMAL: "plain", Sensitivity.WRITE: "warn", Sensitivity.SENSITIVE: "danger"}


@admin.register(Scope)
class ScopeAdmin(RecordedAdmin):
    """A permission in use is switched off, not deleted: what people gave must stay readable."""

    form = ScopeForm
    revisions = ("revocation", "catalogue")
    granted = ("view", "add", "change", "delete")
    list_display = ("title", "token", "risk", "used_by", "state")
    list_display_links = ("title", "token")
    list_filter = ("sensitivity", "enabled")
    search_fields = ("name", "title")
    search_help_text = gettext_lazy("Name or title.")
    fieldsets = (
        (None, {"fields": ("name", "sensitivity", "self_registration", "enabled", "reason")}),
        (
            gettext_lazy("What people read"),
            {"fields": ("title", "description", "title_pt_br", "description_pt_br")},
        ),
        (gettext_lazy("Where it is used"), {"fields": ("used_by",)}),
    )
    readonly_fields = ("used_by",)

    def about(self, obj: Scope) -> About:
        """By its name."""
        return {"target": f"scope:{obj.name}"}

    def get_fieldsets(self, request: HttpRequest, obj: Scope | None = None) -> Any:
        """A new one is used nowhere, and needs no reason."""
        if obj is not None:
            return self.fieldsets
        return ((None, {"fields": ("name", "sensitivity", "self_registration")}), self.fieldsets[1])

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, its rows with where they are used."""
        changelist = super().get_changelist_instance(request)
        usage = scope_usage()
        for scope in changelist.result_list:
            scope.usage = usage
        return changelist

    def has_delete_permission(self, request: HttpRequest, obj: Scope | None = None) -> bool:
        """Only one that nothing names."""
        usage = scope_usage()
        unused = (
            obj is not None
            and obj.name not in OPENID_SCOPES
            and not usage.clients[obj.name]
            and not usage.operations[obj.name]
        )
        return unused and request.user.has_perm("oauth_provider.delete_scope")

    @column(description=gettext_lazy("name"), ordering="name")
    def token(self, scope: Scope) -> SafeString:
        """What programs call it."""
        return code(scope.name)

    @column(description=gettext_lazy("sensitivity"), ordering="sensitivity")
    def risk(self, scope: Scope) -> SafeString:
        """How much a person risks."""
        return chip(TONES.get(scope.sensitivity, "plain"), scope.get_sensitivity_display())

    @column(description=gettext_lazy("used by"))
    def used_by(self, scope: Scope) -> str:
        """How many clients may ask for it and how many operations require it."""
        usage = getattr(scope, "usage", None) or scope_usage()
        counts = {"clients": usage.clients[scope.name], "operations": usage.operations[scope.name]}
        return _("Clients: %(clients)d · Operations: %(operations)d") % counts

    @column(description=gettext_lazy("state"), ordering="enabled")
    def state(self, scope: Scope) -> SafeString:
        """Whether it opens anything."""
        return chip("good", _("Enabled")) if scope.enabled else chip("danger", _("Disabled"))
