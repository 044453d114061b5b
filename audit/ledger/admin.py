"""The ledger in the admin: read, searched and filtered, never touched."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from audit.ledger.event_list import EventList
from audit.ledger.kinds import Decision, Kind
from audit.ledger.models import Event
from audit.ledger.people import with_names
from audit.ledger.queries import search
from audit.ledger.search import BadSearch, search_filter
from audit.ledger.words import DECISIONS, KINDS

PERIODS = {
    "1h": (_("Last hour"), timedelta(hours=1)),
    "24h": (_("Last 24 hours"), timedelta(hours=24)),
    "7d": (_("Last 7 days"), timedelta(days=7)),
    "30d": (_("Last 30 days"), timedelta(days=30)),
}
TONES = {Decision.ALLOW.value: "good", Decision.DENY.value: "warn", Decision.ERROR.value: "danger"}
NEIGHBOURS_MAX = 50


class PeriodFilter(admin.SimpleListFilter):
    """Recent events; exact bounds are typed into the search: since:2026-11-25."""

    title = _("time")
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The periods on offer."""
        return [(key, words) for key, (words, _length) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        """Events since the chosen period began."""
        chosen = PERIODS.get(str(self.value()))
        return queryset.filter(timestamp__gte=timezone.now() - chosen[1]) if chosen else queryset


class DecisionFilter(admin.SimpleListFilter):
    """What the gateway answered."""

    title = _("decision")
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every decision there is."""
        return list(DECISIONS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        """Events decided so."""
        return queryset.filter(decision=self.value()) if self.value() in DECISIONS else queryset


class KindFilter(admin.SimpleListFilter):
    """What happened."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every kind there is."""
        return list(KINDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        """Events of that kind."""
        return queryset.filter(kind=self.value()) if self.value() in KINDS else queryset


@admin.register(Event)
class EventAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """A list and a page per event, whatever permissions a member of staff has."""

    list_display = ("time", "what", "person", "client", "decided", "why", "status")
    list_filter = (PeriodFilter, DecisionFilter, KindFilter)
    search_fields = ("request_id",)
    search_help_text = _("Anything, or user: client: operation: decision: reason: since:")
    ordering = ("-timestamp", "-id")
    sortable_by = ()
    actions = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_fullwidth = True
    list_before_template = "admin/events/how_to_search.html"
    change_form_outer_after_template = "admin/events/neighbours.html"
    fieldsets = (
        (None, {"fields": ("time", "what", "phase", "decided", "why", "note", "request_id", "id")}),
        (_("Who"), {"fields": ("person", "staff", "client", "client_id", "connection", "token", "address")}),
        (
            _("What"),
            {"fields": ("backend", "operation", "method", "path", "scopes", "scopes_required", "audience", "target",
                        "fields")},
        ),
        (
            _("Answer"),
            {"fields": ("status", "upstream_status", "latency_us", "upstream_latency_us", "request_bytes",
                        "response_bytes", "retries")},
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Events with the names of their people and clients."""
        return with_names(super().get_queryset(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[EventList]:
        """Page by page, never counted."""
        return EventList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """What the filters ask, and no lookup of Django's own: everything else is typed into the search."""
        return lookup in {PeriodFilter.parameter_name, DecisionFilter.parameter_name, KindFilter.parameter_name}

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> Sequence[str]:
        """Every field there is."""
        shown = ("time", "what", "person", "staff", "client", "decided", "why")
        return (*shown, *(field.name for field in Event._meta.concrete_fields))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """As `audit.ledger.search` reads it; what cannot be read is said, and finds nothing."""
        try:
            return queryset.filter(search_filter(search_term)), False
        except BadSearch as fault:
            messages.error(request, str(fault))
            return queryset.none(), False

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add what else happened in the same request."""
        context["show_history"] = False
        event = kwargs.get("obj")
        if event is not None and event.request_id:
            others = with_names(search(request_id=event.request_id)).exclude(pk=event.pk)
            context["neighbours"] = [(other, KINDS.get(other.kind, other.kind)) for other in others[:NEIGHBOURS_MAX]]
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """An event has no history: it is one."""
        return HttpResponseRedirect(reverse("admin:audit_event_change", args=[object_id]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """Nobody."""
        return False

    @admin.display(description=_("time"))
    def time(self, event: Event) -> str:
        """UTC to the millisecond."""
        return f"{date_format(event.timestamp, 'Y-m-d H:i:s')}.{event.timestamp.microsecond // 1000:03d} UTC"

    @admin.display(description=_("what"))
    def what(self, event: Event) -> SafeString:
        """The operation called, else what happened and to what; and the kind as programs know it."""
        call = f"{event.backend} {event.operation}".strip() if event.kind == Kind.PROXY_CALL_DECIDED else ""
        words, about = (call, "") if call else (KINDS.get(event.kind, event.kind), event.target)
        return format_html(
            '<span class="gh-what"><strong>{}</strong> {} <code>{}</code></span>', words, about, event.kind
        )

    @admin.display(description=_("user"))
    def person(self, event: Event) -> str:
        """The user's name, else the external id, else the pseudonym; for what staff did, who did it."""
        user, staff = getattr(event, "subject_name", ""), getattr(event, "actor_name", "")
        return str(user or staff or "–")

    @admin.display(description=_("staff member"))
    def staff(self, event: Event) -> str:
        """Who of the staff acted, if somebody did."""
        return str(getattr(event, "actor_name", "") or "–")

    @admin.display(description=_("client"))
    def client(self, event: Event) -> str:
        """The client's name, else its identifier."""
        return str(getattr(event, "client_name", "") or "–")

    @admin.display(description=_("decision"))
    def decided(self, event: Event) -> SafeString:
        """In a word, and in colour."""
        words = DECISIONS.get(event.decision, event.decision)
        return format_html('<span class="gh-chip gh-chip--{}">{}</span>', TONES.get(event.decision, "plain"), words)

    @admin.display(description=_("reason"))
    def why(self, event: Event) -> SafeString | str:
        """As programs know it."""
        return format_html('<code class="gh-code gh-slug">{}</code>', event.reason) if event.reason else "–"
