"""MCP servers in the admin: which tools are at which address, and in which words."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.forms.models import model_to_dict
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oauth_provider.admin_skin import chip, code, column
from oauth_provider.identities.external_id import user_ref
from oauth_provider.recorded_admin import About
from oauth_provider.scopes.choices import scope_words
from proxy.catalogue.admin import CatalogueAdmin
from proxy.catalogue.models import Operation
from proxy.catalogue.servers.forms import ServerForm
from proxy.catalogue.servers.models import McpServer, offerable
from proxy.catalogue.servers.remove import remove_server
from proxy.catalogue.servers.save import save_server
from proxy.catalogue.tool_words import warnings_of
from proxy.catalogue.tools import Tool, tool_row


@admin.register(McpServer)
class McpServerAdmin(CatalogueAdmin):
    """Its name is fixed once made: clients keep the address, and tokens are bound to it."""

    form = ServerForm
    list_display = ("name", "state", "title", "address", "tool_count")
    list_filter = ("enabled",)
    search_fields = ("name", "title", "operations__operation_id", "operations__tool_name")
    search_help_text = gettext_lazy("Name, title, or an operation or tool of it.")
    autocomplete_fields = ("operations",)
    nothing_yet = gettext_lazy(
        "Every tool is at /mcp. Make a server to offer some of them at an address of their own, with words of its own."
    )
    change_form_outer_after_template = "admin/servers/connect.html"

    class Media:
        # In this order, wherever else the first two are asked for
        js = ("admin/js/jquery.init.js", "admin/js/autocomplete.js", "gatehouse/name-search.js")

    def about(self, obj: McpServer) -> About:
        """By its name."""
        return {"target": f"server:{obj.name}"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[McpServer]:
        """Servers with the number of their operations."""
        servers: QuerySet[McpServer] = super().get_queryset(request).annotate(count=Count("operations", distinct=True))
        return servers

    def get_fieldsets(self, request: HttpRequest, obj: McpServer | None = None) -> Any:
        """A new one needs no reason."""
        fields = ("name", "title", "instructions", "operations", "enabled")
        return ((None, {"fields": (*fields, "reason") if obj is not None else fields}),)

    def save_model(self, request: HttpRequest, obj: McpServer, form: Any, change: bool) -> None:
        """Kept by the verb, in the transaction of the page."""
        save_server(
            server=obj,
            actor=user_ref(request.user),
            operations=form.cleaned_data["operations"],
            fields=form.changed_names(),
            note=form.cleaned_data.get("reason", ""),
        )

    def delete_model(self, request: HttpRequest, obj: McpServer) -> None:
        """Removed by the verb."""
        remove_server(server=obj, actor=user_ref(request.user), note=self.reason_of(request))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add what people paste, what they will be asked, and what their client will see."""
        server = kwargs.get("obj")
        if server is not None:
            tools = [_shown(operation) for operation in _offered(server)]
            scopes = {scope for tool in tools for scope in tool["operation"].named_scopes}
            context |= {
                "address": f"{settings.PUBLIC_BASE_URL}{server.path}",
                "scopes": scope_words(scopes),
                "tools": tools,
                "left_out": server.operations.count() - len(tools),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @column(description=gettext_lazy("address"), ordering="name")
    def address(self, server: McpServer) -> SafeString:
        """Where clients connect."""
        return code(server.path)

    @column(description=gettext_lazy("operations"), ordering="count")
    def tool_count(self, server: McpServer) -> int:
        """How many it offers."""
        return int(getattr(server, "count", 0))


def _offered(server: McpServer) -> QuerySet[Operation]:
    live = server.operations.filter(offerable(), enabled=True, backend__enabled=True)
    return live.select_related("backend").order_by("tool_name")


def _shown(operation: Operation) -> dict[str, Any]:
    """A tool as a model reads it, for a row of the page; of an MCP backend its operation is all there is to show."""
    if operation.feature:
        words = _("What %(backend)s offers under it, as approved.") % {"backend": operation.backend}
        kind = chip("plain", operation.get_feature_display())
        known = {"name": operation.feature_name, "title": str(operation), "description": words, "effect": kind}
        return known | {"operation": operation, "needs": operation.needs_shown, "warnings": ()}
    tool = Tool(tool_row(model_to_dict(operation)))
    found = tool.descriptor
    hints = found["annotations"]
    if hints["readOnlyHint"]:
        effect = chip("plain", _("Reads"))
    else:
        effect = chip("danger", _("Destroys")) if hints["destructiveHint"] else chip("warn", _("Changes"))
    needs, warnings = operation.needs_shown, warnings_of(operation)
    told = {"operation": operation, "effect": effect, "needs": needs, "warnings": warnings}
    return found | told
