"""The ledger in the admin: read, searched and filtered, never touched."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from audit.ledger.kinds import Decision
from audit.ledger.models import Event
from audit.ledger.people import client_ids_matching, pseudonyms_matching, with_names

PERIODS = {
    "1h": (_("Last hour"), timedelta(hours=1)),
    "24h": (_("Last 24 hours"), timedelta(hours=24)),
    "7d": (_("Last 7 days"), timedelta(days=7)),
    "30d": (_("Last 30 days"), timedelta(days=30)),
}


class PeriodFilter(admin.SimpleListFilter):
    """Recent events; exact bounds go into the address as `timestamp__gte` and `timestamp__lt`."""

    title = _("time")
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ANN401, ARG002
        """The periods on offer."""
        return [(key, words) for key, (words, _length) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:  # noqa: ARG002
        """Events since the chosen period began."""
        chosen = PERIODS.get(str(self.value()))
        return queryset.filter(timestamp__gte=timezone.now() - chosen[1]) if chosen else queryset


@admin.register(Event)
class EventAdmin(ModelAdmin):
    """A list and a page per event, whatever permissions a member of staff has."""

    list_display = ("time", "person", "client", "what", "decided", "reason", "status")
    list_filter = (PeriodFilter, "decision", "kind", "method")
    search_fields = ("request_id",)
    search_help_text = _(
        "User name, e-mail, external id, client, operation, backend, request id, reason or connection."
    )
    ordering = ("-timestamp", "-id")
    sortable_by = ()
    actions = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = InfinitePaginator
    list_fullwidth = True
    fieldsets = (
        (None, {"fields": ("time", "kind", "phase", "decided", "reason", "request_id", "id")}),
        (_("Who"), {"fields": ("person", "staff", "client", "client_id", "connection", "token", "address")}),
        (
            _("What"),
            {"fields": ("backend", "operation", "method", "path", "scopes", "scopes_required", "audience", "target",
                        "fields", "note")},
        ),
        (
            _("Answer"),
            {"fields": ("status", "upstream_status", "latency_us", "upstream_latency_us", "request_bytes",
                        "response_bytes")},
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Events with the names of their people and clients."""
        return with_names(super().get_queryset(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> Sequence[str]:  # noqa: ARG002
        """Every field there is."""
        return ("time", "person", "staff", "client", "decided", *(f.name for f in Event._meta.concrete_fields))

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[Event],
        search_term: str,
    ) -> tuple[QuerySet[Event], bool]:
        """Whole values, each by its index: a ledger is too long for LIKE."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(request_id=term) | Q(client_id=term) | Q(operation=term) | Q(connection=term)
        found |= Q(backend=term) | Q(reason=term) | Q(token=term) | Q(target=term)
        if people := pseudonyms_matching(term):
            found |= Q(subject__in=people) | Q(actor__in=people)
        if clients := client_ids_matching(term):
            found |= Q(client_id__in=clients)
        if identifier := _as_uuid(term):
            found |= Q(id=identifier) | Q(connection=str(identifier))
        return queryset.filter(found), False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:  # noqa: ARG002
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:  # noqa: ARG002
        """Nobody."""
        return False

    @display(description=_("time"))
    def time(self, event: Event) -> str:
        """UTC to the millisecond."""
        return f"{date_format(event.timestamp, 'Y-m-d H:i:s')}.{event.timestamp.microsecond // 1000:03d} UTC"

    @display(description=_("user"))
    def person(self, event: Event) -> str:
        """The user's name, else the external id, else the pseudonym."""
        return str(getattr(event, "subject_name", "") or "–")

    @display(description=_("staff member"))
    def staff(self, event: Event) -> str:
        """Who of the staff acted, if somebody did."""
        return str(getattr(event, "actor_name", "") or "–")

    @display(description=_("client"))
    def client(self, event: Event) -> str:
        """The client's name, else its identifier."""
        return str(getattr(event, "client_name", "") or "–")

    @display(description=_("operation"))
    def what(self, event: Event) -> str:
        """The operation called, else the kind of event and its target."""
        if event.operation:
            return f"{event.backend} {event.operation}".strip()
        return f"{event.kind} {event.target}".strip()

    @display(
        description=_("decision"),
        label={Decision.ALLOW.value: "success", Decision.DENY.value: "warning", Decision.ERROR.value: "danger"},
    )
    def decided(self, event: Event) -> str:
        """Coloured by what was decided."""
        return event.decision


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
