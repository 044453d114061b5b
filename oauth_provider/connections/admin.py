"""Connections in the admin: who lets which client act for them, and the button that ends it."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant

from audit.ledger.queries import last_used
from oauth_provider.admin_skin import Tone, ago, chip, column, page_button
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.reason_page import Question, act_with_reason
from oauth_provider.recorded_admin import About, EndingAdmin
from oauth_provider.scopes.choices import scope_words

STATES = {
    "live": gettext_lazy("Live"),
    "expired": gettext_lazy("Expired"),
    "revoked": gettext_lazy("Revoked"),
}
TONES: dict[str, Tone] = {"live": "good", "expired": "warn", "revoked": "danger"}
ENDED_BY = {
    "user": gettext_lazy("the person"),
    "client": gettext_lazy("the client"),
    "staff": gettext_lazy("our staff"),
    "provider": gettext_lazy("the identity provider"),
    "replay": gettext_lazy("the gateway: a code or token was used twice"),
}


class StateFilter(admin.SimpleListFilter):
    """By whether it still lets anybody act."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The states."""
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Connection]) -> QuerySet[Connection]:
        """Connections in the chosen state."""
        expired = Q(expires_at__lte=timezone.now())
        chosen = {
            "live": Q(revoked_at=None) & ~expired,
            "expired": Q(revoked_at=None) & expired,
            "revoked": Q(revoked_at__isnull=False),
        }.get(str(self.value()))
        return queryset.filter(chosen) if chosen is not None else queryset


@admin.register(Connection)
class ConnectionAdmin(EndingAdmin):
    """Made by people on the consent page; here they are read and ended."""

    list_display = ("person", "app", "state", "created_at", "last_call", "resource")
    list_filter = (StateFilter, ("client", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "client", "resource")
    search_fields = (
        "user__username",
        "user__email",
        "user__identity__external_id",
        "client__name",
        "client__client_id",
    )
    search_help_text = gettext_lazy("User name, e-mail, external id, or the client's name or id.")
    nothing_yet = gettext_lazy("A connection appears when a person allows a client something.")
    ordering = ("-created_at",)
    fieldsets = (
        (None, {"fields": ("person", "app", "state", "given")}),
        (
            gettext_lazy("When and how"),
            {"fields": ("created_at", "last_call", "expires_at", "resource", "redirect_host", "language")},
        ),
        (gettext_lazy("How it ended"), {"fields": ("revoked_at", "ended_by", "revocation_reason")}),
    )
    readonly_fields = ("person", "app", "state", "given", "last_call", "language", "ended_by")
    actions_detail = ("revoke",)

    def about(self, obj: Connection) -> About:
        """By its id."""
        return {"target": f"connection:{obj.pk}", "connection": str(obj.pk), "client_id": obj.client.client_id}

    def history_term(self, obj: Connection) -> str:
        """Everything that happened on it."""
        return str(obj.pk)

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        """How it ended, when it has."""
        return self.fieldsets if obj is None or obj.revoked_at else self.fieldsets[:2]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, its rows with the moment of their last call."""
        changelist = super().get_changelist_instance(request)
        used = last_used(str(connection.pk) for connection in changelist.result_list)
        for connection in changelist.result_list:
            connection.last_called_at = used.get(str(connection.pk))
        return changelist

    @page_button(description=gettext_lazy("Revoke"), path="revoke", icon="link_off", variant=ActionVariant.DANGER)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it for the person."""
        connection = self.changeable(request, object_id)
        names = {"app": connection.client.name, "person": connection.user.get_username()}
        question = Question(
            title=_("End %(app)s's access for %(person)s?") % names,
            consequences=(
                _("Within a second every call %(app)s makes for %(person)s is refused.") % names,
                _("What it has already read or sent is not undone."),
                _("%(person)s may connect it again; to stop it for everybody, suspend the client.") % names,
            ),
            button=_("Revoke"),
            done=_("%(app)s no longer acts for %(person)s.") % names,
            is_told=True,
        )
        return act_with_reason(
            self, request, connection, question, partial(revoke_connection, connection=connection, by="staff")
        )

    @column(description=gettext_lazy("person"), ordering="user__username")
    def person(self, connection: Connection) -> str:
        """Who gave it."""
        return connection.user.get_username()

    @column(description=gettext_lazy("client"), ordering="client__name")
    def app(self, connection: Connection) -> str:
        """Who got it."""
        return connection.client.name

    @column(description=gettext_lazy("state"))
    def state(self, connection: Connection) -> SafeString:
        """Whether it still lets anybody act."""
        ended = "revoked" if connection.revoked_at else "expired"
        state = "live" if connection.is_live else ended
        return chip(TONES[state], STATES[state])

    @column(description=gettext_lazy("last call"))
    def last_call(self, connection: Connection) -> SafeString | str:
        """When the client last called for the person."""
        if not hasattr(connection, "last_called_at"):
            connection.last_called_at = last_used([str(connection.pk)]).get(str(connection.pk))  # type: ignore[attr-defined]  # ours
        return ago(connection.last_called_at)  # type: ignore[attr-defined]  # as above

    @column(description=gettext_lazy("what was given"))
    def given(self, connection: Connection) -> SafeString | str:
        """Each permission in words."""
        words = [(text,) for text in scope_words(connection.scope_set)]
        return format_html_join("", "{}", words) if words else _("No permission.")

    @column(description=gettext_lazy("language of the page that asked"))
    def language(self, connection: Connection) -> str:
        """As Django names it."""
        return connection.shown_locale

    @column(description=gettext_lazy("ended by"))
    def ended_by(self, connection: Connection) -> str:
        """Whose decision it was."""
        return str(ENDED_BY.get(connection.revoked_by, connection.revoked_by))
