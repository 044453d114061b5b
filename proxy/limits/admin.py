"""Limits in the admin: what counts for whom, the most specific first."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oauth_provider.admin_skin import code, column
from oauth_provider.identities.external_id import user_ref
from oauth_provider.recorded_admin import About
from proxy.catalogue.admin import CatalogueAdmin
from proxy.limits.forms import LimitForm
from proxy.limits.models import Limit
from proxy.limits.save import remove_limit, save_limit


@admin.register(Limit)
class LimitAdmin(CatalogueAdmin):
    """Beside them everybody has the default of RATE_LIMIT_MAX and RATE_LIMIT_WINDOW_MS."""

    form = LimitForm
    list_display = ("calls", "per", "where", "whose", "agent_tier")
    list_display_links = ("calls",)
    list_filter = ("per", ("backend", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("backend", "operation__backend")
    search_fields = ("client", "backend__name", "operation__operation_id")
    search_help_text = gettext_lazy("Client id, backend or operation.")
    nothing_yet = gettext_lazy(
        "Everybody has the limit of RATE_LIMIT_MAX and RATE_LIMIT_WINDOW_MS until you set others."
    )
    fieldsets = (
        (
            None,
            {
                "fields": ("max_calls", "window_ms", "per", "reason"),
                "description": gettext_lazy(
                    "Of the limits counted for the same, the most specific one holds for a call: one of an operation "
                    "before one of a client, one of a client before one of a backend."
                ),
            },
        ),
        (gettext_lazy("Which calls"), {"fields": ("backend", "operation", "client", "agent_tier")}),
    )

    def about(self, obj: Limit) -> About:
        """By its number."""
        return {"target": f"limit:{obj.pk}"}

    def get_fieldsets(self, request: HttpRequest, obj: Limit | None = None) -> Any:
        """A new one needs no reason."""
        if obj is not None:
            return self.fieldsets
        first, *others = self.fieldsets
        return ((None, {**first[1], "fields": ("max_calls", "window_ms", "per")}), *others)

    def save_model(self, request: HttpRequest, obj: Limit, form: Any, change: bool) -> None:
        """Kept by the verb, in the transaction of the page."""
        note = form.cleaned_data.get("reason", "")
        save_limit(limit=obj, actor=user_ref(request.user), fields=form.changed_names(), note=note)

    def delete_model(self, request: HttpRequest, obj: Limit) -> None:
        """Removed by the verb."""
        remove_limit(limit=obj, actor=user_ref(request.user), note=self.reason_of(request))

    @column(description=gettext_lazy("limit"), ordering="max_calls")
    def calls(self, limit: Limit) -> str:
        """How many in which time."""
        return _("%(calls)d in %(time)s") % {"calls": limit.max_calls, "time": _time(limit.window_ms)}

    @column(description=gettext_lazy("at"))
    def where(self, limit: Limit) -> SafeString | str:
        """Backend and operation."""
        place = limit.operation or limit.backend
        return code(str(place)) if place else _("everywhere")

    @column(description=gettext_lazy("client"), ordering="client")
    def whose(self, limit: Limit) -> SafeString | str:
        """Which client."""
        return code(limit.client) if limit.client else _("every client")


def _time(window_ms: int) -> str:
    for unit_ms, unit in ((3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if not window_ms % unit_ms:
            return f"{window_ms // unit_ms} {unit}"
    return f"{window_ms} ms"
